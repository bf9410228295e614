# about: both streams are written past Python, without end
# limits: output=10KB
# in_process: omitted: what is written past Python is not captured in process
# worker: output_limit
# container: omitted: this version runs no scripts in containers

import os

while True:
    os.write(1, b"out" * 1000)
    os.write(2, b"err" * 1000)
