params.get("missing")
