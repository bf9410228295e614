// about: a thread is put to sleep where nothing wakes it
// limits: time=300ms
// in_process: script_error "not defined" | timeout
// worker: script_error "not defined" | timeout
// container: omitted: this version runs no scripts in containers

Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
