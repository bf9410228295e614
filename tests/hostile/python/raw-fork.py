# about: the C library forks the process, past what Python says of it
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import ctypes

libc = ctypes.CDLL(None)


def run():
    child = libc.fork()
    if child == 0:
        libc._exit(0)
    return "denied" if child < 0 else "forked"
