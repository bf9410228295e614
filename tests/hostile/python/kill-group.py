# about: the group of processes that the script is in is killed, and those who started it with it
# in_process: omitted: the host program would be killed
# worker: crashed
# container: omitted: this version runs no scripts in containers

import os

os.kill(0, 9)
