value = {}
for _ in range(1000):
    value = {"inner": value}
value
