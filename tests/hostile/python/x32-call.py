# about: a system call is made by its number in the x32 table, which a filter may not know
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: crashed
# container: omitted: this version runs no scripts in containers

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)


def run():
    if platform.machine() != "x86_64":
        os.abort()
    libc.syscall(0x40000000 + 39)
    return "it ran on"
