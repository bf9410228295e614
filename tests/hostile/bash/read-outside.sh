# about: a file that was not granted is read
# params: {"path": "$secret"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: read=$outside
# granted_ok: "read"

if text=$(<"$path"); then echo read; else echo denied; fi 2>/dev/null
