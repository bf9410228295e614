def run(name: str):
    return f"Hello, {name}"
