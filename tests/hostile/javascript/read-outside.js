// about: a file that was not granted is read
// params: {"path": "$secret"}
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers
// granted: read=$outside
// granted_ok: "read"

let got = "denied";
try { got = skill.fs.read(skill.params.path).startsWith("secret-") ? "read" : "something else"; } catch {}
got
