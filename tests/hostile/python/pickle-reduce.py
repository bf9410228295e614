# about: a pickle runs a program as it is read
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os
import pickle


class Bomb:
    def __reduce__(self):
        return os.system, ("cat $HOME/secret || true",)


try:
    status = pickle.loads(pickle.dumps(Bomb()))
except OSError:
    status = -1
"denied" if status != 0 else "a shell ran"
