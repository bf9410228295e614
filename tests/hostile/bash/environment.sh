# about: the environment of the host is looked for
# params: {"variable": "$variable"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: programs=*

while IFS='=' read -r name value; do
  case $name in *SECRET* | CARGO* | NEXTEST* | SSH_*) echo "sees $name=$value" ;; esac
done < <(export -p; set)
[ -n "${!variable-}" ] && echo "sees ${!variable}"
echo denied
