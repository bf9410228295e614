# about: processes outside are looked for with a signal that does nothing
# params: {"host": "$host_pid"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

# Small numbers are our own.
[ "$host" -gt 100 ] && kill -0 "$host" 2>/dev/null && echo "could kill"
kill -0 "$PPID" 2>/dev/null && [ "$PPID" -gt 1 ] && echo "could kill"
echo denied
