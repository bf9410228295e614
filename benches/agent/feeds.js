const text = "A1 tea 2 1.80; B2 milk 3 4.00; C3 bread 2 3.00";
###
function parse(line) {
  const [name, what, count, price] = line.trim().split(" ");
  return { name, what, count: Number(count), price: Number(price) };
}
###
const orders = text.split(";").map(parse);
###
const amount = (order) => order.count * order.price;
###
const totals = new Map(orders.map((order) => [order.name, amount(order)]));
###
const total = Math.round([...totals.values()].reduce((a, b) => a + b, 0) * 100) / 100;
###
let biggest;
###
for (const [name, value] of totals) {
  if (biggest === undefined || value > totals.get(biggest)) biggest = name;
}
###
const summary = `${orders.length} orders, total ${total}, biggest ${biggest}`;
###
console.log(summary)
