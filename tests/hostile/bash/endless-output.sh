# about: both streams are written without end
# limits: output=10KB
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: output_limit
# container: omitted: this version runs no scripts in containers

while :; do echo out; echo err >&2; done
