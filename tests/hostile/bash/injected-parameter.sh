# about: a parameter carries shell syntax
# params: {"text": "$(touch $outside/made.txt); `touch $outside/made.txt`; rm -rf $outside #"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

echo "$text" >/dev/null
printf "%s\n" denied
