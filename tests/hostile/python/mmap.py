# about: 1 GB is mapped and touched
# limits: memory=64MB
# in_process: omitted: what a C library maps is not counted in process
# worker: memory_limit | script_error "OSError" | script_error "PermissionError"
# container: omitted: this version runs no scripts in containers

import mmap

pages = mmap.mmap(-1, 1 << 30)
for at in range(0, 1 << 30, 4096):
    pages[at] = 1
"no limit"
