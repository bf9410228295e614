# about: programs are started past their number; they do nothing, and are few enough for a machine whose limit fails
# limits: time=2s processes=16 memory=128MB
# params: {"most": 100}
# in_process: omitted: Python in process is not granted any program
# worker: timeout | permission_denied | memory_limit
# container: omitted: this version runs no scripts in containers
# grants: programs=*

import subprocess


def run(most):
    started = []
    while len(started) < most:
        try:
            started.append(subprocess.Popen(["sleep", "20"]))
        except OSError:
            while True:
                pass
    return f"started {len(started)}"
