# about: a datagram to the host, and to a machine beside it
# params: {"ports": [$udp, $neighbour_udp], "neighbour": "$neighbour"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import socket


def run(ports, neighbour):
    sent = []
    for family, address in [(socket.AF_INET, ("127.0.0.1", ports[0])), (socket.AF_INET, (neighbour, ports[1])),
                            (socket.AF_INET6, ("::ffff:127.0.0.1", ports[0]))]:
        try:
            socket.socket(family, socket.SOCK_DGRAM).sendto(b"hello", address)
            sent.append(address[0])
        except OSError:
            pass
    return sent or "denied"
