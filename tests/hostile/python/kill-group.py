# about: the script is in a group of processes with those who started it, which one signal would reach
# in_process: omitted: a thread of the host program is in its group
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import os

"denied" if os.getpgrp() == os.getpid() == os.getsid(0) else "shares a group"
