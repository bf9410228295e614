// about: a skill is called by the path of a file
// params: {"path": "$secret"}
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers

const got = [];
for (const name of [skill.params.path, "../outside/secret.txt", "file://" + skill.params.path, "./call-by-path.json"]) {
  try { got.push(skill.call(name, {})); } catch {}
}
got.length ? got : "denied"
