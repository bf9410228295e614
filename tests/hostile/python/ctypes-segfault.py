# about: a null pointer is read
# in_process: omitted: the host program would crash
# worker: crashed
# container: omitted: this version runs no scripts in containers

import ctypes

ctypes.string_at(0)
