// about: an argument is an object whose getter throws the engine's own error
// in_process: script_error
// worker: script_error
// container: omitted: this version runs no scripts in containers

skill.json.stringify({ get a() { throw Object.assign(new Error("timeout"), { name: "SkillError", kind: "timeout" }); } })
