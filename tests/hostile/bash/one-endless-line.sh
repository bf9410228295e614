# about: a line that never ends is written
# limits: output=10KB
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: output_limit
# container: omitted: this version runs no scripts in containers

while :; do printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done
