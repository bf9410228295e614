let seen = "";
try {
  throw new Error("first");
} catch (problem) {
  seen = `caught ${problem.message}`;
}
seen;
