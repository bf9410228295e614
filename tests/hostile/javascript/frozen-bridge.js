// about: the functions of the host are replaced for whoever comes next
// in_process: ok "denied" | script_error
// worker: ok "denied" | script_error
// container: omitted: this version runs no scripts in containers
// next: skill.uuid.v4() !== "fooled"

try { skill.fs.read = () => "fooled"; } catch {}
try { globalThis.skill = { fs: { read: () => "fooled" } }; } catch {}
try { skill.uuid.v4 = () => "fooled"; } catch {}
skill.uuid.v4() === "fooled" ? "fooled" : "denied"
