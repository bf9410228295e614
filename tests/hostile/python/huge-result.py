# about: the result is larger than allowed
# limits: result=1MB
# in_process: output_limit
# worker: output_limit
# container: omitted: this version runs no scripts in containers

"x" * (8 << 20)
