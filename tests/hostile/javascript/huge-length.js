// about: a search over a length of 2^53
// limits: time=1s
// in_process: script_error | timeout
// worker: script_error | timeout
// container: omitted: this version runs no scripts in containers

[].indexOf.call({ length: 2 ** 53 - 1 }, 1)
