function price(item) {
  throw new RangeError(`no price for ${item}`);
}

function total(items) {
  return items.reduce((sum, item) => sum + price(item), 0);
}

total(["tea"]);
