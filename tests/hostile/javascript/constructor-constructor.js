// about: functions are made from text, to get at another global object
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers

const made = [(() => {}).constructor, (async () => {}).constructor, (function* () {}).constructor]
  .map((make) => { try { return make("return this")(); } catch { return undefined; } });
const found = made.flatMap((thing) => (thing ? ["process", "require", "Deno", "WebAssembly"].filter((name) => thing[name]) : []));
found.length ? found : "denied"
