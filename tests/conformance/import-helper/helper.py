from parts import deep

calls = []


def twice(n):
    return n * len(deep.NAME) // 2
