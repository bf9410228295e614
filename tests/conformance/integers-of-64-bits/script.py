[params["odd"], params["most"]]
