[None, {"a": None}]
