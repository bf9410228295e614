/**
 * Doubles.
 * @param {object} params
 * @param {integer} params.n a number
 */
export default function run({ n }) {
  return n * 2;
}
