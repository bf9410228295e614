function run({ n }) {
  const half = n / 2;
  throw new Error(`half is ${half}`);
}
