# about: the process ends with success, in the middle of the run
# in_process: omitted: the host program would end
# worker: crashed | script_error "SystemExit"
# container: omitted: this version runs no scripts in containers

import ctypes
import os

try:
    ctypes.CDLL(None)._exit(0)
finally:
    os._exit(0)
