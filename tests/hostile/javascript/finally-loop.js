// about: the block that runs when the script is stopped does not end
// limits: time=300ms
// in_process: timeout
// worker: timeout
// container: omitted: this version runs no scripts in containers

function stay() {
  try { for (;;); } finally { try { for (;;); } finally { stay(); } }
}
for (;;) try { stay(); } catch {}
