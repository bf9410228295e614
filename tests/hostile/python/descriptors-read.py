# about: descriptors that the engine left open are looked for and read
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os
import stat


def run(path):
    for number in range(3, 4096):
        try:
            about = os.fstat(number)
        except OSError:
            continue
        if stat.S_ISDIR(about.st_mode):
            try:
                return os.read(os.open(path.lstrip("/"), os.O_RDONLY, dir_fd=number), 100).decode()
            except OSError:
                try:
                    return os.read(os.open("../../../../../.." + path, os.O_RDONLY, dir_fd=number), 100).decode()
                except OSError:
                    pass
    return "denied"
