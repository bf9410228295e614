found = {f"key {i}": i for i in range(5_000)}
[len(found), found["key 4999"]]
