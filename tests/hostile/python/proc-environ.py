# about: the environment of other processes is read through /proc
# params: {"host": $host_pid, "variable": "$variable"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run(host, variable):
    seen = b"".join(name.encode() + b"=" + value.encode() for name, value in os.environ.items())
    for pid in ["self", "1", str(host), str(os.getppid())]:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                seen += file.read()
        except OSError:
            pass
    return seen.decode(errors="replace") if variable.encode() in seen else "denied"
