# about: the host is asked to read a file that says it has 1 TB
# params: {"folder": "$granted"}
# in_process: ok "denied"
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: write=$granted

import os

import skill


def run(folder):
    with open(folder + "/sparse", "w") as file:
        pass
    try:
        os.truncate(folder + "/sparse", 1 << 40)
    except OSError:
        return "denied"
    try:
        return len(skill.fs.read(folder + "/sparse"))
    except Exception:
        return "denied"
