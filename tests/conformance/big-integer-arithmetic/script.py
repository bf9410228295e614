params["n"] + 1
