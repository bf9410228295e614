# about: a ring for system calls is made, which no filter sees
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)


def run():
    parameters = ctypes.create_string_buffer(256)
    ring = libc.syscall(425, 8, ctypes.byref(parameters))
    return "made" if ring >= 0 else "denied"
