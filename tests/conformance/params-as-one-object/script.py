params["a"] + params["b"]
