import sys

print("aside", file=sys.stderr)
print("out")
1
