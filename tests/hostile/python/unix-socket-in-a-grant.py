# about: a socket in a folder that was granted is connected to
# params: {"path": "$unix"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: write=$sockets

import socket


def run(path):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        return "connected"
    except OSError:
        return "denied"
