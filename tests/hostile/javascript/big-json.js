// about: a text that is built up is parsed as JSON
// limits: time=2s memory=64MB
// in_process: script_error | memory_limit | timeout
// worker: script_error | memory_limit | timeout
// container: omitted: this version runs no scripts in containers

JSON.parse("[" + "[],".repeat(20_000_000) + "0]")
