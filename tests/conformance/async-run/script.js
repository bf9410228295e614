export default async function run({ n }) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return n * 2;
}
