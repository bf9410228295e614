# about: the process aborts
# in_process: omitted: the host program would end
# worker: crashed
# container: omitted: this version runs no scripts in containers

import os

os.abort()
