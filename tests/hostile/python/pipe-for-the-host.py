# about: the host is asked to read a pipe that nobody writes, and a device
# params: {"folder": "$granted"}
# in_process: ok "denied"
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: write=$granted

import os

import skill


def run(folder):
    got = []
    try:
        os.mkfifo(folder + "/pipe")
    except OSError:
        pass
    os.symlink("/dev/zero", folder + "/zero")
    for name in ("pipe", "zero"):
        try:
            got.append(skill.fs.read(folder + "/" + name)[:100])
        except Exception:
            pass
    return got or "denied"
