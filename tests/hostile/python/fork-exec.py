# about: the C function below subprocess starts a program
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import _posixsubprocess
import os
import subprocess
import sys


def run(path):
    read, write = os.pipe()
    middle = (None, None, None) if sys.version_info < (3, 9) else (None, None, None)
    arguments = [[b"/bin/cat", path.encode()], [b"/bin/cat"], True, (), None, None, -1, -1, -1, -1, -1, -1, read, write,
                 False, False, -1, None, None, None, -1, None]
    if sys.version_info < (3, 11):
        del arguments[16]
    if (3, 11) < sys.version_info < (3, 14):
        arguments.append(False)
    try:
        if _posixsubprocess.fork_exec(*arguments) > 0:
            return "started"
    except OSError:
        pass
    try:
        return subprocess.run(["/bin/cat", path], capture_output=True).stdout.decode()
    except OSError:
        return "denied"
