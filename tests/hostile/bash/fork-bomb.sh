# about: a function starts itself twice, without end
# limits: time=1s processes=16 memory=128MB
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: timeout | permission_denied | script_error | memory_limit
# container: omitted: this version runs no scripts in containers
# grants: programs=*

bomb() { bomb | bomb & }
bomb
wait
while :; do :; done
