{"next": lambda x: x + 1, "n": 1}
