print("one")
print("two 🦀")
print("")
"result"
