# about: a folder that was granted for reading is written, by any call
# params: {"folder": "$granted"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "granted"
# container: omitted: this version runs no scripts in containers
# grants: read=$granted

import os


def run(folder):
    done = []
    for name, change in {
        "open": lambda: open(folder + "/file.txt", "a"), "make": lambda: open(folder + "/new.txt", "w"),
        "chmod": lambda: os.chmod(folder + "/file.txt", 0o777), "truncate": lambda: os.truncate(folder + "/file.txt", 0),
        "remove": lambda: os.remove(folder + "/file.txt"), "utime": lambda: os.utime(folder + "/file.txt", (1, 1)),
        "symlink": lambda: os.symlink("/", folder + "/root"), "mkdir": lambda: os.mkdir(folder + "/made"),
    }.items():
        try:
            change()
            done.append(name)
        except OSError:
            pass
    return done or open(folder + "/file.txt").read()
