import * as deep from "./parts/deep.mjs";

export const calls = [];

export function twice(n) {
  return n * deep.NAME.length / 2;
}
