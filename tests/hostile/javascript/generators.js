// about: generators wait for one another, deeper and deeper
// limits: time=2s memory=64MB
// in_process: recursion_limit | script_error | memory_limit
// worker: recursion_limit | script_error | memory_limit
// container: omitted: this version runs no scripts in containers

function* deeper() { yield* deeper(); }
[...deeper()]
