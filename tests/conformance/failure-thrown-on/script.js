try {
  skill.fs.read("/etc/passwd");
} catch (problem) {
  throw problem;
}
