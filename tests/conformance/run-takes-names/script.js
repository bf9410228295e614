export default function run({ greeting, name }) {
  return `${greeting}, ${name}`;
}
