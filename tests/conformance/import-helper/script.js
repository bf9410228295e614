import { calls, twice } from "./helper.js";
import { NAME } from "./parts/deep.mjs";

export default function ({ n }) {
  calls.push(n);
  return [twice(n), NAME, calls.length];
}
