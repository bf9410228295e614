# about: a TCP connection to the host, and to a machine beside it
# params: {"ports": [$tcp, $neighbour_tcp], "neighbour": "$neighbour"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import socket


def run(ports, neighbour):
    for address in [("127.0.0.1", ports[0]), ("localhost", ports[0]), (neighbour, ports[1]), ("169.254.169.254", 80)]:
        try:
            with socket.create_connection(address, timeout=0.3) as connection:
                connection.sendall(b"hello")
            return f"connected to {address}"
        except OSError:
            pass
    return "denied"
