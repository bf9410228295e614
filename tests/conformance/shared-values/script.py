part = [1]
[part, part]
