# about: a daemon in a session of its own, forked twice, outlives the run
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: programs=*
# granted_ok: "forked"

import os
import time


def run():
    try:
        if os.fork():
            return "forked"
        os.setsid()
        if os.fork():
            os._exit(0)
    except OSError:
        return "denied"
    os.setpgid(0, 0)
    time.sleep(20)
    os._exit(0)
