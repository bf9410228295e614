// about: an array of a thousand million holes is joined
// limits: time=2s memory=64MB
// in_process: script_error | memory_limit | timeout
// worker: script_error | memory_limit | timeout
// container: omitted: this version runs no scripts in containers

new Array(1e9) + ""
