# about: a hard link to the secret is made where the script may write
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run(path):
    for target in ("/tmp/linked", "linked", "/dev/shm/linked"):
        try:
            os.link(path, target)
            return open(target).read()
        except OSError:
            pass
    return "denied"
