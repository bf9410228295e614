let value = params.deep;
let depth = 0;
while (Array.isArray(value)) {
  value = value[0];
  depth += 1;
}
[depth, value];
