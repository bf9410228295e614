let result;
try {
  result = skill.fs.read("/etc/passwd");
} catch (problem) {
  result = { kind: problem.kind, named: problem.message.includes("/etc/passwd") };
}
result;
