params["n"]
