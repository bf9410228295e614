let value = 1;
for (let i = 0; i < 100; i += 1) value = [value];
value;
