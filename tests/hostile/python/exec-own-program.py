# about: a program that the script wrote itself is run
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os
import subprocess


def run():
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "."):
        path = folder + "/program"
        try:
            with open(path, "wb") as file, open("/bin/true", "rb") as program:
                file.write(program.read())
            os.chmod(path, 0o6755)
            subprocess.run([path])
            return "ran in " + folder
        except OSError:
            pass
    return "denied"
