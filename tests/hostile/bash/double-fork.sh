# about: daemons outlive the script, for 20 s where nothing ends them
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "left"
# container: omitted: this version runs no scripts in containers
# grants: programs=*

(setsid sleep 20 &)
(sleep 20 & disown) &
echo left
