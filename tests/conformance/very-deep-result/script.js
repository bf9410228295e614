let value = {};
for (let i = 0; i < 1000; i += 1) value = { inner: value };
value;
