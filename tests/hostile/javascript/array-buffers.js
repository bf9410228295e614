// about: buffers, which are outside of the heap, are hoarded
// limits: time=2s memory=64MB
// in_process: memory_limit | timeout
// worker: memory_limit | timeout
// container: omitted: this version runs no scripts in containers

const hoard = [];
for (;;) try { hoard.push(new Uint8Array(1 << 20).fill(1)); } catch {}
