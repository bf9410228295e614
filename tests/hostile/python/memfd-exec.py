# about: a program is written into memory and run from there
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os


def run():
    try:
        handle = os.memfd_create("program")
    except OSError:
        return "denied"
    with open("/bin/true", "rb") as program:
        os.write(handle, program.read())
    try:
        os.execve(handle, ["true"], {})
    except OSError:
        return "made, but not run"
