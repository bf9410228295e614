// Arithmetic on two numbers: exact on whole ones, in double precision on others.

// Whole numbers have 64 bits.
const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;
const RANGE = `whole numbers go from ${LEAST} to ${MOST}`;

export default function run({ operation, operand1, operand2 }) {
  if (!["add", "subtract", "multiply", "divide"].includes(operation)) {
    throw new TypeError(`unknown operation '${operation}': use add, subtract, multiply or divide`);
  }
  if (operation === "divide" && Number(operand2) === 0) {
    throw new RangeError("cannot divide by zero: operand2 is 0");
  }
  const a = whole("operand1", operand1);
  const b = whole("operand2", operand2);
  if (a !== null && b !== null) {
    return ofWhole(operation, a, b);
  }
  return ofDoubles(operation, Number(operand1), Number(operand2));
}

// The integer that a number is, and null where it has a fraction or is beyond what doubles tell apart.
// A whole number that a double cannot hold arrives as a BigInt.
function whole(name, x) {
  if (typeof x === "number") {
    return Number.isInteger(x) && Math.abs(x) <= 2 ** 53 ? BigInt(x) : null;
  }
  if (x < LEAST || x > MOST) {
    throw new RangeError(`${name} is too large: ${RANGE}`);
  }
  return x;
}

function ofWhole(operation, a, b) {
  if (operation === "divide" && a % b !== 0n) {
    return ofDoubles(operation, Number(a), Number(b));
  }
  const result = apply(operation, a, b);
  if (result < LEAST || result > MOST) {
    throw new RangeError(`the result is too large: ${RANGE}`);
  }
  // What a double cannot hold leaves as a BigInt, with all its digits.
  return Number.isSafeInteger(Number(result)) ? Number(result) : result;
}

function ofDoubles(operation, a, b) {
  const result = apply(operation, a, b);
  if (!Number.isFinite(result)) {
    throw new RangeError("the result is too large: it is beyond 1.8e308");
  }
  // There is no minus zero among the integers.
  return result === 0 ? 0 : result;
}

function apply(operation, a, b) {
  switch (operation) {
    case "add":
      return a + b;
    case "subtract":
      return a - b;
    case "multiply":
      return a * b;
    default:
      return a / b;
  }
}
