// about: every object gets a `then`, so that the bridge would wait for it
// limits: time=300ms
// in_process: ok {"a": 1} | script_error | timeout
// worker: ok {"a": 1} | script_error | timeout
// container: omitted: this version runs no scripts in containers
// next: ({}).then === undefined

Object.prototype.then = function (done) { for (;;); };
({ a: 1 })
