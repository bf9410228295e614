// about: the prototypes get setters and getters for what the bridge may write and read
// in_process: ok {"a": [1]}
// worker: ok {"a": [1]}
// container: omitted: this version runs no scripts in containers
// next: ({}).kind === undefined

for (const name of ["0", "value", "get", "set", "writable", "kind", "message", "result", "ok", "error"]) {
  const accessors = { get() { return "fooled"; }, set() { throw "fooled"; }, configurable: true };
  Object.defineProperty(Object.prototype, name, Object.setPrototypeOf(accessors, null));
}
skill.json.parse('{"a": [1]}')
