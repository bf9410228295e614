// about: what is thrown is a proxy that throws at whatever is asked of it
// in_process: script_error
// worker: script_error
// container: omitted: this version runs no scripts in containers

throw new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; }, getPrototypeOf() { throw 3; }, has() { throw 4; } });
