# about: both streams are written without end
# limits: output=10KB
# in_process: output_limit
# worker: output_limit
# container: omitted: this version runs no scripts in containers

import sys

while True:
    print("out" * 100)
    print("err" * 100, file=sys.stderr)
