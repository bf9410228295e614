# about: devices are made and opened
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os
import stat


def run():
    done = []
    for number, name in enumerate(("/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse", "/dev/net/tun")):
        try:
            os.open(name, os.O_RDONLY)
            done.append(name)
        except OSError:
            pass
    try:
        os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(8, 0))
        os.open("/tmp/disk", os.O_RDONLY)
        done.append("mknod")
    except OSError:
        pass
    return done or "denied"
