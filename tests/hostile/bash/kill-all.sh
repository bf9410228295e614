# about: every process that can be named is killed
# params: {"host": "$host_pid"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied\n"
# container: omitted: this version runs no scripts in containers

kill -9 "$host" 2>/dev/null && echo killed
kill -9 "$PPID" 2>/dev/null && [ "$PPID" -gt 1 ] && echo killed
echo denied
