# about: the frames of a traceback lead to globals of the code that runs the script
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import sys


def run(path):
    try:
        1 / 0
    except ZeroDivisionError as error:
        frame = error.__traceback__.tb_frame
    seen = 0
    while frame:
        seen += 1
        importer = frame.f_builtins["__import__"]
        try:
            return importer("io").FileIO(path).read().decode()
        except OSError:
            pass
        frame = frame.f_back
    return "denied" if seen else "no frames"
