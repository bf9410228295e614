# about: noise is written into every descriptor, those of the engine too
# limits: time=1s
# in_process: omitted: the descriptors of the host program would be written to
# worker: crashed | timeout | internal
# container: omitted: this version runs no scripts in containers

import os

for number in range(3, 256):
    try:
        os.set_blocking(number, False)
        os.write(number, b"\xff" * 65536)
    except OSError:
        pass
6 * 7
