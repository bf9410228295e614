# about: sockets of the container engine, the message bus and the agent for keys
# params: {"path": "$unix"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

for socket in "$path" /var/run/docker.sock /run/dbus/system_bus_socket "${SSH_AUTH_SOCK:-/none}" "${DBUS_SESSION_BUS_ADDRESS:-/none}"; do
  [ -e "$socket" ] && echo "sees $socket"
done
echo denied
