# about: the user is changed, and capabilities are asked for
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)


def run():
    done = []
    for name, change in {"setuid": lambda: os.setuid(0), "setgid": lambda: os.setgid(0), "setgroups": lambda: os.setgroups([0]),
                         "setresuid": lambda: os.setresuid(0, 0, 0), "nice": lambda: os.nice(-5)}.items():
        try:
            change()
            done.append(name)
        except OSError:
            pass
    if os.getuid() == 0 or os.geteuid() == 0:
        done.append("is root")
    with open("/proc/self/status") as status:
        text = status.read()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") and int(value, 16):
            done.append(line)
        if name == "NoNewPrivs" and value.strip() != "1" or name == "Seccomp" and value.strip() != "2":
            done.append(line)
    return done or "denied"
