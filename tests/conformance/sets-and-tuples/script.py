{"tuple": (1, 2), "set": {3}, "range": range(2)}
