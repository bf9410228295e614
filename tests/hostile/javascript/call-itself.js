// about: a skill calls itself, through another, without end
// limits: time=500ms host_calls=1000
// in_process: timeout | host_call_limit
// worker: timeout | host_call_limit
// container: omitted: this version runs no scripts in containers

for (;;) try { skill.call("call-itself", {}); } catch {}
