# about: programs that give rights are run
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: programs=*

for program in su sudo mount passwd newgrp pkexec; do
  "$program" -c id </dev/null >/dev/null 2>&1 && echo "$program"
done
echo denied
