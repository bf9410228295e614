# about: a program that was not granted is run through the loader
# params: {"path": "$secret"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
  "$loader" /usr/bin/id && echo ran
  "$loader" /bin/cat "$path" && echo ran
done 2>/dev/null
echo denied
