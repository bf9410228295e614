# about: a program that the script wrote itself is run
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

for folder in /tmp /dev/shm .; do
  printf '#!/bin/bash\necho ran\n' >"$folder/program" && chmod 6755 "$folder/program" && "$folder/program"
done 2>/dev/null
echo denied
