# about: a socket of the host without a file is connected to
# params: {"name": "$abstract"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import socket


def run(name):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        try:
            socket.socket(socket.AF_UNIX, kind).connect("\0" + name)
            return "connected"
        except OSError:
            pass
    return "denied"
