# about: keys are typed into the terminal of whoever runs the skill
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import fcntl
import os

TIOCSTI = 0x5412
NOTHING = b"\0"


def run():
    done = []
    for number in (0, 1, 2):
        try:
            fcntl.ioctl(number, TIOCSTI, NOTHING)
            done.append(number)
        except OSError:
            pass
    try:
        os.open("/dev/tty", os.O_RDWR)
        done.append("tty")
    except OSError:
        pass
    return done or "denied"
