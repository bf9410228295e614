# about: one list takes 8 GB
# limits: memory=64MB
# in_process: memory_limit
# worker: memory_limit
# container: omitted: this version runs no scripts in containers

[0] * 10**9
