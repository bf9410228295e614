# about: memory is taken from the C library, past what counts Python's own, up to 1 GB
# limits: time=3s memory=64MB
# in_process: omitted: what a C library allocates is not counted in process
# worker: memory_limit
# container: omitted: this version runs no scripts in containers

import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p


def run():
    for _ in range(1024):
        block = libc.malloc(ctypes.c_size_t(1 << 20))
        if not block:
            raise MemoryError
        ctypes.memset(ctypes.c_void_p(block), 1, 1 << 20)
    return "no limit"
