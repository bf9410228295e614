x = 1
skill.hash.rot13("a")
