# about: what stands outside is removed, renamed, linked, and its mode and time changed
# params: {"path": "$outside/canary.txt", "folder": "$outside"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run(path, folder):
    done = []
    for name, change in {
        "remove": lambda: os.remove(path), "rename": lambda: os.rename(path, path + ".gone"),
        "chmod": lambda: os.chmod(path, 0o777), "utime": lambda: os.utime(path, (1, 1)),
        "truncate": lambda: os.truncate(path, 0), "mkdir": lambda: os.mkdir(folder + "/made"),
        "link": lambda: os.link(path, folder + "/linked"), "symlink": lambda: os.symlink(path, folder + "/link"),
        "mkfifo": lambda: os.mkfifo(folder + "/pipe"), "chown": lambda: os.chown(path, os.getuid(), os.getgid()),
        "setxattr": lambda: os.setxattr(path, "user.x", b"1"), "rmdir": lambda: os.rmdir(folder + "/folder"),
    }.items():
        try:
            change()
            done.append(name)
        except OSError:
            pass
    return done or "denied"
