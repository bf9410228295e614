# about: a lease on a granted file keeps the host waiting when it opens it
# limits: time=1s
# params: {"folder": "$granted"}
# in_process: omitted: the signals of the host program would be blocked in the thread that ran it
# worker: ok "done" | timeout
# container: omitted: this version runs no scripts in containers
# grants: write=$granted

import fcntl
import os
import signal

import skill


def run(folder):
    handle = os.open(folder + "/file.txt", os.O_RDWR)
    try:
        fcntl.fcntl(handle, 1024, fcntl.F_WRLCK)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    except OSError:
        pass
    try:
        skill.fs.write(folder + "/file.txt", "again")
    except Exception:
        pass
    return "done"
