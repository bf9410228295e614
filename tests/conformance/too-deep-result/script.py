value = 1
for _ in range(101):
    value = [value]
value
