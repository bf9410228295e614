basket = []

if not basket:
    raise ValueError("the basket is empty")
