# about: memory is taken from the C library, past what counts Python's own
# limits: time=3s memory=64MB
# in_process: omitted: what a C library allocates is not counted in process
# worker: memory_limit
# container: omitted: this version runs no scripts in containers

import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
failed = 0
while failed < 1000:
    block = libc.malloc(ctypes.c_size_t(1 << 20))
    if block:
        ctypes.memset(block, 1, 1 << 20)
    else:
        failed += 1
raise MemoryError
