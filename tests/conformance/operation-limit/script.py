n = 0
while n < 1_000_000:
    n += 1
n
