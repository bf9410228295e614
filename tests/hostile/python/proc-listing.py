# about: /proc tells of processes of the host
# params: {"host": $host_pid}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied" | script_error "PermissionError"
# container: omitted: this version runs no scripts in containers

import os


def run(host):
    others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
    return f"sees {others}" if others or os.path.exists(f"/proc/{host}/status") and host > 2 else "denied"
