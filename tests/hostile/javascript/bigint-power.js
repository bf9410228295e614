// about: a power of big integers that takes minutes
// limits: time=2s memory=64MB
// in_process: script_error | memory_limit | timeout
// worker: script_error | memory_limit | timeout
// container: omitted: this version runs no scripts in containers

let n = 3n;
for (;;) n = n ** 3n;
