# about: a file is made where nothing was granted
# params: {"path": "$outside/made.txt"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: write=$outside
# granted_ok: "written"

if echo written >"$path"; then echo written; else echo denied; fi 2>/dev/null
