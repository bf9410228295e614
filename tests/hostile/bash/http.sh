# about: a page is fetched from a host that was not granted
# params: {"port": "$http"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: network=127.0.0.1:$http
# granted_ok: "hello"

ask() {
  exec 3<>"/dev/tcp/127.0.0.1/3128" || return
  printf '%s\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
  while IFS= read -rt 2 line <&3 || [ -n "$line" ]; do answer+=$line; line=; done
  exec 3>&-
}

answer=
ask "GET http://127.0.0.1:$port/ HTTP/1.1" "127.0.0.1:$port" 2>/dev/null
case $answer in *hello*) echo hello ;; *) echo denied ;; esac
