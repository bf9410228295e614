value = params["deep"]
depth = 0
while isinstance(value, list):
    value = value[0]
    depth += 1
[depth, value]
