// about: the result is a proxy that says it has 2^53 elements
// limits: time=1s memory=64MB
// in_process: output_limit | timeout | memory_limit | script_error
// worker: output_limit | timeout | memory_limit | script_error
// container: omitted: this version runs no scripts in containers

new Proxy([], { get: (target, key) => (key === "length" ? 2 ** 53 - 1 : "x".repeat(100)) })
