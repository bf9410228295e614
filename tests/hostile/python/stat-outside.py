# about: files that were not granted are looked at without being opened
# params: {"path": "$secret", "folder": "$outside"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run(path, folder):
    seen = []
    for look in (os.stat, os.readlink, os.listxattr, os.statvfs, lambda p: os.access(p, os.F_OK) or os.stat(p)):
        for thing in (path, folder):
            try:
                seen.append(str(look(thing)))
            except OSError:
                pass
    try:
        os.chdir(folder)
        seen.append("went there")
    except OSError:
        pass
    return seen or "denied"
