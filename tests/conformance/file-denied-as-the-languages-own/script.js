let caught = false;
try {
  skill.fs.read("/etc/passwd");
} catch (problem) {
  caught = problem instanceof Error && problem.name === "SkillError";
}
caught;
