def run(n: int):
    return n * 2
