const double = (n) => n * 2;

let total = 0;
for (let n = 0; n < 10; n += 1) total += double(n);
total;
