# about: one host is granted, and others are asked for through the proxy, by all names that they have
# limits: time=30s
# params: {"granted": "$http", "port": "$tcp", "neighbour": "$neighbour", "far": "$neighbour_tcp"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied by the proxy"
# container: omitted: this version runs no scripts in containers
# grants: network=127.0.0.1:$http

ask() {
  exec 3<>"/dev/tcp/127.0.0.1/3128" || return
  printf '%s\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
  while IFS= read -rt 2 line <&3 || [ -n "$line" ]; do answer+=$line; line=; done
  exec 3>&-
}

for host in "127.0.0.1:$port" "localhost:$port" "2130706433:$port" "0x7f000001:$port" "[::ffff:127.0.0.1]:$port" "127.1:$port" \
  "0.0.0.0:$port" "127.0.0.1:$granted@127.0.0.1:$port" "169.254.169.254" "$neighbour:$far"; do
  for line in "GET http://$host/ HTTP/1.1" "CONNECT $host HTTP/1.1"; do
    answer=
    ask "$line" "127.0.0.1:$granted" 2>/dev/null
    case $answer in HTTP/1.?" 2"*) echo "$line: $answer" ;; HTTP/*) refused=yes ;; esac
  done
done
echo "denied${refused:+ by the proxy}"
