# about: the kernel is made to keep memory that no limit on the process counts
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def run():
    made = []
    for name, make in {
        "semaphores": lambda: libc.semget(0, 32000, 0o600), "messages": lambda: libc.msgget(0, 0o600),
        "segments": lambda: libc.shmget(0, 1 << 30, 0o600), "ring": lambda: libc.syscall(425, 8, ctypes.create_string_buffer(256)),
    }.items():
        if make() >= 0:
            made.append(name)
    return made or "denied"
