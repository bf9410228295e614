# about: one string takes 10 GB
# limits: memory=64MB
# in_process: memory_limit
# worker: memory_limit
# container: omitted: this version runs no scripts in containers

"a" * 10**10
