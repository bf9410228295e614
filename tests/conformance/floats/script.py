params["all"]
