/**
 * Greets somebody, as often as asked.
 * @param {object} params
 * @param {string} params.name - Who to greet
 * @param {number} [params.times=1] - How often
 */
export default function run({ name, times = 1 }) {
  return Array(times).fill(`Hello, ${name}!`).join(" ");
}
