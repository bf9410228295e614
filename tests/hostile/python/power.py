# about: one power takes minutes in C
# limits: time=300ms
# in_process: omitted: a C call is not interrupted in process
# worker: timeout
# container: omitted: this version runs no scripts in containers

10**10**8
