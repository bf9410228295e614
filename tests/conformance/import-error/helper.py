def check(n):
    if n < 2:
        raise ValueError("too small")
