# about: the memory of other processes is read through /proc
# params: {"host": $host_pid}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run(host):
    for pid in [host, os.getppid(), *range(2, 50)]:
        if pid in (0, os.getpid()):
            continue
        try:
            with open(f"/proc/{pid}/mem", "r+b", buffering=0) as file:
                file.seek(0x400000)
                return f"opened the memory of {pid}"
        except OSError:
            pass
    return "denied"
