# about: a socket of the host that is a file is connected to
# params: {"path": "$unix"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import socket


def run(path):
    for name in (path, "/var/run/docker.sock", "/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private"):
        try:
            socket.socket(socket.AF_UNIX).connect(name)
            return "connected to " + name
        except OSError:
            pass
    return "denied"
