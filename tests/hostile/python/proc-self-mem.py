# about: the script writes over read-only memory of its own through /proc/self/mem
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied" | crashed
# container: omitted: this version runs no scripts in containers

import ctypes

address = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
try:
    with open("/proc/self/mem", "r+b", buffering=0) as file:
        file.seek(address)
        file.write(b"\xcc" * 64)
    ctypes.pythonapi.Py_IsInitialized()
    result = "it ran on"
except OSError:
    result = "denied"
result
