// about: the script waits for a promise that nobody keeps
// limits: time=300ms
// in_process: script_error | timeout
// worker: script_error | timeout
// container: omitted: this version runs no scripts in containers

await new Promise(() => {});
