# about: processes outside are looked for with a signal that does nothing
# params: {"host": $host_pid}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run(host):
    threads = {int(number) for number in os.listdir("/proc/self/task")}
    for pid in [host, os.getppid(), *range(2, 100)]:
        if pid == 0 or pid in threads:
            continue
        try:
            os.kill(pid, 0)
            return f"could kill {pid}"
        except OSError:
            pass
    return "denied"
