// about: the operations of the engine below are called, one of which panics
// in_process: script_error
// worker: script_error
// container: omitted: this version runs no scripts in containers

const reach = globalThis.Deno ?? (() => {}).constructor("return globalThis.Deno")();
reach.core.ops.op_panic("host");
