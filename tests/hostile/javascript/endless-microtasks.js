// about: a promise that is kept asks for the next, without end
// limits: time=300ms memory=64MB
// in_process: timeout | memory_limit
// worker: timeout | memory_limit
// container: omitted: this version runs no scripts in containers

const again = () => Promise.resolve().then(again);
await again();
