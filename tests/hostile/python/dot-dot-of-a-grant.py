# about: a granted folder is left by .. , by a link made in it, and by a descriptor
# params: {"folder": "$granted", "path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: write=$granted

import os


def run(folder, path):
    found = []
    os.symlink(path, folder + "/link")
    os.symlink("../outside", folder + "/up")
    handle = os.open(folder, os.O_RDONLY)
    for attempt in (
        lambda: open(folder + "/../outside/secret.txt"), lambda: open(folder + "/link"),
        lambda: open(folder + "/up/secret.txt"), lambda: open(f"/proc/self/fd/{handle}/../outside/secret.txt"),
        lambda: os.fdopen(os.open("../outside/secret.txt", os.O_RDONLY, dir_fd=handle)),
    ):
        try:
            found.append(attempt().read())
        except OSError:
            pass
    try:
        os.link(path, folder + "/hard")
        found.append("linked")
    except OSError:
        pass
    return found or "denied"
