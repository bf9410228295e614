// about: timers set timers, without end
// limits: time=300ms memory=64MB
// in_process: timeout | memory_limit | script_error
// worker: timeout | memory_limit | script_error
// container: omitted: this version runs no scripts in containers

const again = () => { setTimeout(again, 0); setTimeout(again, 0); };
again();
await new Promise(() => {});
