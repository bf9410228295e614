# about: processes are forked without end, where some were granted
# limits: time=500ms processes=16 memory=128MB
# in_process: omitted: Python in process is not granted any program
# worker: timeout | permission_denied | memory_limit
# container: omitted: this version runs no scripts in containers
# grants: programs=*

import os

while True:
    try:
        os.fork()
    except OSError:
        pass
