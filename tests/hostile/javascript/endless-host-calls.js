// about: functions of the host are called without end, and every error is caught
// limits: host_calls=100
// in_process: host_call_limit
// worker: host_call_limit
// container: omitted: this version runs no scripts in containers

for (;;) try { skill.uuid.v4(); } catch {}
