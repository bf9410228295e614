# about: a daemon in a session of its own, forked twice, outlives the run, for 20 s where nothing ends it
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: programs=*
# granted_ok: "started"
# granted_in: worker

import subprocess


def run():
    try:
        subprocess.Popen(["/bin/sh", "-c", "setsid sleep 20 & setsid sleep 20 & exit 0"], start_new_session=True).wait()
    except OSError:
        return "denied"
    return "started"
