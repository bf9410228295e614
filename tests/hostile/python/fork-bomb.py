# about: processes are forked past their limit; the forks do nothing, and are few enough for a machine whose limit fails
# limits: time=500ms processes=16 memory=128MB
# params: {"most": 100}
# in_process: omitted: Python in process is not granted any program
# worker: timeout | permission_denied | memory_limit
# container: omitted: this version runs no scripts in containers
# grants: programs=*

import os
import time


def run(most):
    forks = 0
    while forks < most:
        try:
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
            forks += 1
        except OSError:
            while True:
                pass
    return f"forked {forks} times"
