{"unit price": float("inf")}
