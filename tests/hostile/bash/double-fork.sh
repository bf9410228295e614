# about: a daemon outlives the script
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "left\n"
# container: omitted: this version runs no scripts in containers
# grants: programs=*

(setsid sleep 1000 &)
(sleep 1000 & disown) &
echo left
