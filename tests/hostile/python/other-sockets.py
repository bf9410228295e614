# about: sockets of other families are made: packets, netlink, virtual machines, raw, Bluetooth, kernel crypto
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import socket

made = []
for family, kind, protocol in [(17, socket.SOCK_RAW, 3), (16, socket.SOCK_RAW, 0), (40, socket.SOCK_STREAM, 0),
                               (2, socket.SOCK_RAW, 1), (31, socket.SOCK_RAW, 1), (38, socket.SOCK_SEQPACKET, 0),
                               (10, socket.SOCK_RAW, 58), (2, socket.SOCK_STREAM, 262), (2, socket.SOCK_STREAM, 132)]:
    try:
        socket.socket(family, kind, protocol)
        made.append([family, int(kind), protocol])
    except OSError:
        pass
made or "denied"
