import { check } from "./helper.js";

export function run() {
  return check(1);
}
