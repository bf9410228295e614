# about: shared pages, which are not of the data segment, are mapped piece by piece
# limits: time=2s memory=64MB
# in_process: omitted: what a C library maps is not counted in process
# worker: memory_limit | timeout
# container: omitted: this version runs no scripts in containers

import mmap

kept = []
while True:
    try:
        pages = mmap.mmap(-1, 1 << 20)
        pages[:] = b"x" * (1 << 20)
        kept.append(pages)
    except BaseException:
        pass
