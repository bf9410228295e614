seen = "left_behind" in globals()
left_behind = 1
seen
