// about: WebAssembly takes memory outside of the heap
// limits: memory=64MB
// in_process: script_error "not defined" | memory_limit
// worker: script_error "not defined" | memory_limit
// container: omitted: this version runs no scripts in containers

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
for (;;) memory.grow(1000);
