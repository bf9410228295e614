# about: the script listens for connections from outside
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied" | script_error
# container: omitted: this version runs no scripts in containers

import socket


def run():
    try:
        listener = socket.create_server(("0.0.0.0", 0))
        return f"listens at {listener.getsockname()}"
    except OSError:
        return "denied"
