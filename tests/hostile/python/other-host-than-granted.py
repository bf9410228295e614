# about: one host is granted, and others are tried through the proxy and past it
# limits: time=20s
# params: {"granted": $http, "ports": [$tcp, $neighbour_tcp], "neighbour": "$neighbour"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: network=127.0.0.1:$http

import os
import socket
import urllib.request


def run(granted, ports, neighbour):
    reached = []
    for address in (f"127.0.0.1:{ports[0]}", f"localhost:{ports[0]}", f"{neighbour}:{ports[1]}", f"2130706433:{ports[0]}",
                    f"0x7f000001:{ports[0]}", f"[::ffff:127.0.0.1]:{ports[0]}", f"127.1:{ports[0]}", f"0.0.0.0:{ports[0]}"):
        try:
            urllib.request.urlopen(f"http://{address}/", timeout=0.5).read()
            reached.append(address)
        except (OSError, ValueError):
            pass
    proxy = os.environ.get("http_proxy", "").removeprefix("http://").rstrip("/")
    name, _, port = proxy.rpartition(":")
    lines = [f"CONNECT 127.0.0.1:{ports[0]} HTTP/1.1\r\nHost: 127.0.0.1:{granted}\r\n\r\n",
             f"GET http://127.0.0.1:{ports[0]}/ HTTP/1.1\r\nHost: 127.0.0.1:{granted}\r\n\r\n",
             f"GET http://127.0.0.1:{granted}@127.0.0.1:{ports[0]}/ HTTP/1.1\r\nHost: x\r\n\r\n",
             f"GET http://127.0.0.1:{granted}\r\nHost: 127.0.0.1:{ports[0]}\r\n\r\n/ HTTP/1.1\r\n\r\n"]
    for text in lines:
        try:
            with socket.create_connection((name, int(port)), timeout=0.5) as connection:
                connection.sendall(text.encode())
                answer = connection.recv(200)
                if answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")) and f":{ports[0]}" in text.split("\r\n")[0]:
                    reached.append(text.split("\r\n")[0])
        except (OSError, ValueError):
            pass
    for address in [("127.0.0.1", ports[0]), (neighbour, ports[1])]:
        try:
            socket.create_connection(address, timeout=0.5).close()
            reached.append(address)
        except OSError:
            pass
    return reached or "denied"
