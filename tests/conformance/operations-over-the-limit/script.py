def double(n):
    return n * 2


total = 0
for n in range(10):
    total += double(n)
total
