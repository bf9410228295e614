# about: signals are ignored, and the script loops
# limits: time=300ms
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: timeout
# container: omitted: this version runs no scripts in containers

trap "" TERM INT HUP QUIT XCPU
while :; do :; done
