// about: an argument is an object whose getter never ends
// limits: time=300ms
// in_process: timeout
// worker: timeout
// container: omitted: this version runs no scripts in containers

for (;;) try { skill.json.stringify({ get a() { for (;;); } }); } catch {}
