// Arithmetic on two numbers, in double precision; a whole result is an integer.

export default function run({ operation, operand1, operand2 }) {
  // A whole number that a double cannot hold arrives as a BigInt.
  const a = Number(operand1);
  const b = Number(operand2);
  const result = calculate(operation, a, b);
  if (!Number.isFinite(result)) {
    throw new RangeError("the result is too large: it is beyond 1.8e308");
  }
  // There is no minus zero among the integers.
  return result === 0 ? 0 : result;
}

function calculate(operation, a, b) {
  switch (operation) {
    case "add":
      return a + b;
    case "subtract":
      return a - b;
    case "multiply":
      return a * b;
    case "divide":
      if (b === 0) {
        throw new RangeError("cannot divide by zero: operand2 is 0");
      }
      return a / b;
    default:
      throw new TypeError(`unknown operation '${operation}': use add, subtract, multiply or divide`);
  }
}
