// about: an object gets names without end, and every error is caught
// limits: time=2s memory=64MB
// in_process: memory_limit | timeout
// worker: memory_limit | timeout
// container: omitted: this version runs no scripts in containers

const names = {};
for (let n = 0; ; n++) try { names["name" + n] = [n]; } catch {}
