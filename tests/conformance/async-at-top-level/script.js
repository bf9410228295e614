const n = await Promise.resolve(20);
(await Promise.all([n, 22])).reduce((a, b) => a + b);
