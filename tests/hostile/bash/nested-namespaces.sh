# about: the script makes itself root in namespaces of its own
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: programs=*

unshare --user --map-root-user --mount true 2>/dev/null && echo made
unshare -n true 2>/dev/null && echo made
echo denied
