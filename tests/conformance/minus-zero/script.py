[params["x"], 0.0 * -1]
