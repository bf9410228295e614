n = 0
while n < 100:
    n += 1
n
