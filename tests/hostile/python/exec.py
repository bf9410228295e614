# about: the process becomes another program
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os
import shutil


def run(path):
    for program in ("/bin/cat", "/usr/bin/cat", shutil.which("cat") or "/bin/cat", "/proc/self/exe", "/lib64/ld-linux-x86-64.so.2"):
        try:
            os.execv(program, [program, path])
        except OSError:
            pass
    return "denied"
