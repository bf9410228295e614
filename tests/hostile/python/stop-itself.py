# about: the process stops itself, so that nothing in it ends the run
# limits: time=300ms
# in_process: omitted: the host program would stop
# worker: timeout
# container: omitted: this version runs no scripts in containers

import os
import signal

while True:
    os.kill(os.getpid(), signal.SIGSTOP)
