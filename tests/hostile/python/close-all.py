# about: every descriptor is closed, those of the engine too
# in_process: omitted: the descriptors of the host program would be closed
# worker: crashed
# container: omitted: this version runs no scripts in containers

import os

os.closerange(0, 4096)
6 * 7
