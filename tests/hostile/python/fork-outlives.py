# about: a program goes on after the run has ended, for 20 s where nothing ends it
# params: {"path": "$outside/late.txt"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: programs=*
# granted_ok: "started"
# granted_in: worker

import subprocess


def run(path):
    try:
        subprocess.Popen(["/bin/sh", "-c", 'sleep 1; echo "still here" >>"$0"; sleep 20', path])
    except OSError:
        return "denied"
    return "started"
