const basket = [];

if (basket.length === 0) {
  throw new Error("the basket is empty");
}
