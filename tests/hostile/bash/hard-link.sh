# about: a hard link to the secret is made where the script may write
# params: {"folder": "$granted", "path": "$secret"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: programs=* write=$granted

ln "$path" "$folder/linked" 2>/dev/null && echo linked
ln "$path" /tmp/linked 2>/dev/null && echo linked
echo denied
