# about: every signal is ignored or handled, and the script loops
# limits: time=300ms
# in_process: omitted: the signals of the host program would be blocked in the thread that ran it
# worker: timeout
# container: omitted: this version runs no scripts in containers

import signal

for number in range(1, 65):
    for action in (signal.SIG_IGN, lambda *rest: None):
        try:
            signal.signal(number, action)
        except (OSError, ValueError):
            pass
try:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
except (OSError, ValueError):
    pass
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
