// about: a file is made where nothing was granted
// params: {"path": "$outside/made.txt"}
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers
// granted: write=$outside
// granted_ok: "written"

let got = "denied";
try { skill.fs.write(skill.params.path, "written"); got = "written"; } catch {}
got
