const all = {};
for (let i = 0; i < 5000; i += 1) all[`key ${i}`] = i;
[Object.keys(all).length, all["key 4999"]];
