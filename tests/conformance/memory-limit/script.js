const all = [];
for (;;) all.push("0123456789".repeat(100000) + all.length);
