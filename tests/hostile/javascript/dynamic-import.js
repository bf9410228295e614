// about: a file is imported
// params: {"path": "$secret"}
// in_process: ok "denied" | script_error
// worker: ok "denied" | script_error
// container: omitted: this version runs no scripts in containers

const got = [];
for (const name of [skill.params.path, "file://" + skill.params.path, "fs", "node:fs", "./secret.txt", "data:text/javascript,export default 1"]) {
  try { got.push(Object.keys(await import(name))); } catch {}
}
got.length ? got : "denied"
