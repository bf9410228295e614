def run(n):
    half = n // 2
    raise ValueError(f"half is {half}")
