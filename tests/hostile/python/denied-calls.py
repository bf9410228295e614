# about: system calls that no skill needs are made, one by one
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)

NUMBERS = {
    "x86_64": {
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "swapon": 167, "reboot": 169, "sethostname": 170,
        "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246, "ptrace": 101, "bpf": 321,
        "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249, "perf_event_open": 298,
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "memfd_create": 319, "memfd_secret": 447,
        "shmget": 29, "shmat": 30, "semget": 64, "msgget": 68, "mq_open": 240, "unshare": 272, "setns": 308,
        "open_by_handle_at": 304, "name_to_handle_at": 303, "fsopen": 430, "open_tree": 428, "move_mount": 429,
        "mount_setattr": 442, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "acct": 163,
        "quotactl": 179, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "iopl": 172, "ioperm": 173,
        "syslog": 103, "lookup_dcookie": 212, "fanotify_init": 300,
        "pidfd_getfd": 438, "modify_ldt": 154, "migrate_pages": 256, "move_pages": 279, "mbind": 237,
    },
}


def run():
    numbers = NUMBERS.get(platform.machine(), {})
    allowed = []
    for name, number in numbers.items():
        ctypes.set_errno(0)
        arguments = [ctypes.c_long(-1)] * 6
        libc.syscall(ctypes.c_long(number), *arguments)
        # Refused before anything of it is looked at: not permitted, or no such call.
        if ctypes.get_errno() not in (1, 38):
            allowed.append(f"{name}: {os.strerror(ctypes.get_errno())}")
    return allowed or "denied"
