# about: shared pages, which are not of the data segment, are mapped piece by piece, up to 1 GB
# limits: time=2s memory=64MB
# in_process: omitted: what a C library maps is not counted in process
# worker: memory_limit | timeout | script_error "MemoryError"
# container: omitted: this version runs no scripts in containers

import mmap


def run():
    kept, failed = [], 0
    while len(kept) < 1024 and failed < 1_000_000:
        try:
            pages = mmap.mmap(-1, 1 << 20)
            pages[:] = b"x" * (1 << 20)
            kept.append(pages)
        except BaseException:
            failed += 1
    if failed:
        raise MemoryError
    return "no limit"
