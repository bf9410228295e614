def run(name: str = "world"):
    return f"Hello, {name}"
