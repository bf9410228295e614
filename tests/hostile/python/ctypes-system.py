# about: ctypes calls the C library, which opens files and starts programs
# params: {"path": "$secret", "outside": "$outside"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import ctypes


def run(path, outside):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.open(path.encode(), 0) >= 0:
        return "opened"
    if libc.open((outside + "/made").encode(), 0o101, 0o600) >= 0:
        return "made"
    if libc.system(("cat " + path).encode()) == 0:
        return "a shell ran"
    return "denied"
