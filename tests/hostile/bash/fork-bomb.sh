# about: processes are started past their limit; they do nothing, and are few enough for a machine whose limit fails
# limits: time=1s processes=16 memory=128MB
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: timeout | permission_denied | script_error | memory_limit
# container: omitted: this version runs no scripts in containers
# grants: programs=*

for ((n = 0; n < 100; n++)); do
  (read -rt 20 <> <(:)) &
done
while :; do :; done
