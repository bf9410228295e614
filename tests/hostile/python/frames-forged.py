# about: frames are answered in the name of the engine: lengths that lie, depth, truncation
# limits: time=1s
# in_process: omitted: the descriptors of the host program would be written to
# worker: crashed | internal
# container: omitted: this version runs no scripts in containers

import os

for number in range(3, 256):
    try:
        os.set_blocking(number, False)
        for noise in (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00\x00\x10\x00" + b"[" * 4096, b"\x10\x00\x00\x00" + b"{" * 16):
            os.write(number, noise)
    except OSError:
        pass
os._exit(0)
