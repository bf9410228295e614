import sys

print("a", end="")
sys.stdout.write("b")
print("c", "d", sep="-", end="")
None
