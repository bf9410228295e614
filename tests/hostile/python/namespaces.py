# about: new namespaces are made, in which the script would be root
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied" | script_error "PermissionError"
# container: omitted: this version runs no scripts in containers

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)


def run():
    made = [hex(flag) for flag in (0x10000000, 0x00020000, 0x40000000, 0x20000000, 0x08000000, 0x04000000, 0x02000000, 0x80)
            if libc.unshare(flag) == 0]
    # clone with a flag for a new user namespace; the child, if there is one, ends at once.
    child = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    if child > 0:
        made.append("clone")
    for name in os.listdir("/proc/self/ns"):
        try:
            if libc.setns(os.open(f"/proc/1/ns/{name}", os.O_RDONLY), 0) == 0:
                made.append("setns " + name)
        except OSError:
            pass
    return made or "denied"
