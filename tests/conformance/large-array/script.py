list(range(50_000))
