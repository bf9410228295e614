# about: the process ends with success, in the middle of the run
# in_process: omitted: the host program would end
# worker: crashed
# container: omitted: this version runs no scripts in containers

import os

os._exit(0)
