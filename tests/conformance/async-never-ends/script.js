export default async function run() {
  await new Promise((resolve) => setTimeout(resolve, 3600000));
}
