try:
    raise ValueError("first")
except ValueError as problem:
    seen = f"caught {problem}"
seen
