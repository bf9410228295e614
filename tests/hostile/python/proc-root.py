# about: the links of /proc lead to other roots
# params: {"path": "$secret", "host": $host_pid}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run(path, host):
    for pid in ["self", "1", "thread-self", str(host), str(os.getppid())]:
        for link in ("root", "cwd", "cwd/../../../..", "root/.."):
            try:
                return open(f"/proc/{pid}/{link}{path}").read()
            except OSError:
                pass
    return "denied"
