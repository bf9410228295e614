// about: the host is given an expression that would backtrack, or be huge
// limits: time=1s memory=64MB
// in_process: ok [false, "refused"] | script_error | timeout
// worker: ok [false, "refused"] | script_error | timeout
// container: omitted: this version runs no scripts in containers

const caught = [];
for (const [pattern, text] of [["(a+)+$", "a".repeat(60) + "b"], ["(((a{1000}){1000}){1000}){1000}", "a"]]) {
  try { caught.push(skill.regex.test(pattern, text)); } catch { caught.push("refused"); }
}
caught
