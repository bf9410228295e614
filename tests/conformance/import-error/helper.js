export function check(n) {
  if (n < 2) {
    throw new Error("too small");
  }
}
