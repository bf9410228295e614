// about: a regular expression backtracks for ever
// limits: time=300ms
// in_process: timeout
// worker: timeout
// container: omitted: this version runs no scripts in containers

/(a+)+$/.test("a".repeat(60) + "b")
