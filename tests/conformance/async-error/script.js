// The same lines as
// the script in Python.

export default async function run() {
  await null;
  throw new Error("too late");
}
