# about: builtins that were taken away come back through a frame
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import sys


def run(path):
    frame = sys._getframe()
    while frame:
        for names in (frame.f_builtins, frame.f_globals, frame.f_locals):
            open_again = names.get("open")
            if callable(open_again):
                try:
                    return open_again(path).read()
                except OSError:
                    pass
        frame = frame.f_back
    return "denied"
