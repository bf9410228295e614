/**
 * Greets.
 * @param {object} params
 * @param {string} [params.name="world"] whom
 */
export default function run({ name = "world" }) {
  return `Hello, ${name}`;
}
