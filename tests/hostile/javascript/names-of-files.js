// about: paths are written in all ways that may be read as another
// params: {"path": "$secret", "folder": "$granted"}
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers
// grants: read=$granted

const { path, folder } = skill.params;
const got = [];
for (const name of [path + "/.", "//" + path, folder + "/../outside/secret.txt", "file://" + path, path + "\0.txt", folder + "/./../outside//secret.txt",
  "/proc/self/root" + path, "/proc/1/root" + path, path.replaceAll("/", "\\"), encodeURI(path).replaceAll("/", "%2f"), "~/../.." + path, "/dev/fd/3"]) {
  try { got.push(skill.fs.read(name)); } catch {}
}
got.length ? got : "denied"
