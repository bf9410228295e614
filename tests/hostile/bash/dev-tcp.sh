# about: a connection by the shell's own means
# params: {"ports": "$tcp $neighbour_tcp", "neighbour": "$neighbour"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: programs=*

for port in $ports; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port"); then echo connected; fi
  if (exec 3<>"/dev/tcp/$neighbour/$port"); then echo connected; fi
done 2>/dev/null
echo denied
