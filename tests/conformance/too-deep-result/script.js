let value = 1;
for (let i = 0; i < 101; i += 1) value = [value];
value;
