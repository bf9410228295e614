/**
 * Greets.
 * @param {object} params
 * @param {string} params.name whom
 */
export default function run({ name }) {
  return `Hello, ${name}`;
}
