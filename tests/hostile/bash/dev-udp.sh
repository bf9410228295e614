# about: a datagram by the shell's own means
# params: {"port": "$udp", "neighbour": "$neighbour"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: programs=*

(echo hello >"/dev/udp/127.0.0.1/$port") 2>/dev/null && echo sent
(echo hello >"/dev/udp/$neighbour/$port") 2>/dev/null && echo sent
echo denied
