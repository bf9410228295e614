# about: settings of the kernel and of control groups are opened for writing
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run():
    done = []
    for name in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/proc/sys/vm/drop_caches",
                 "/sys/fs/cgroup/cgroup.procs", "/proc/self/oom_score_adj_x", "/proc/sys/kernel/hostname", "/proc/1/oom_adj"):
        try:
            os.close(os.open(name, os.O_WRONLY))
            done.append(name)
        except OSError:
            pass
    return done or "denied"
