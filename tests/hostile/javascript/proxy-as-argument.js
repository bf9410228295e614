// about: an argument is a proxy that is deeper than anything
// limits: time=1s memory=64MB
// in_process: script_error | recursion_limit | timeout
// worker: script_error | recursion_limit | timeout
// container: omitted: this version runs no scripts in containers

const deep = () => new Proxy({}, {
  ownKeys: () => ["a"],
  getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
  get: deep,
});
skill.json.stringify(deep())
