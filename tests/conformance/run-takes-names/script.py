def run(greeting, name):
    return f"{greeting}, {name}"
