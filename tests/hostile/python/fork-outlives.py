# about: a fork goes on after the run has ended
# params: {"path": "$outside/late.txt"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: programs=*
# granted_ok: "forked"

import os
import time


def run(path):
    try:
        child = os.fork()
    except OSError:
        return "denied"
    if child == 0:
        for _ in range(400):
            time.sleep(0.05)
            try:
                with open(path, "a") as file:
                    file.write("still here")
            except OSError:
                pass
        os._exit(0)
    return "forked"
