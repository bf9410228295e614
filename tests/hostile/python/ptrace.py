# about: other processes are traced, read and written
# params: {"host": $host_pid}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def run(host):
    done = []
    buffer = ctypes.create_string_buffer(64)

    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    here, there = Vector(ctypes.addressof(buffer), 64), Vector(0x400000, 64)
    for pid in {host, os.getppid(), 1} - {0}:
        if libc.ptrace(0x4206, pid, None, None) == 0:
            done.append(f"traced {pid}")
        ctypes.set_errno(0)
        libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        if ctypes.get_errno() not in (1, 3, 38):
            done.append(f"read {pid}: {ctypes.get_errno()}")
        handle = libc.syscall(434, pid, 0)
        if handle >= 0 and libc.syscall(438, handle, 0, 0) >= 0:
            done.append(f"took a descriptor of {pid}")
    return done or "denied"
