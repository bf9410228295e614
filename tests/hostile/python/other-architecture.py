# about: a system call is made by the 32-bit entry, which numbers them otherwise
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: crashed | ok "denied" | script_error "PermissionError"
# container: omitted: this version runs no scripts in containers

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)

import mmap


def run():
    if platform.machine() != "x86_64":
        os.abort()
    # mov eax, 20 (getpid); int 0x80; ret
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    return "it ran on" if function() > 0 else "denied"
