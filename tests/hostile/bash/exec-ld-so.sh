# about: the shell becomes a program that was not granted, through the loader
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: script_error | permission_denied
# container: omitted: this version runs no scripts in containers

for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
  [ -x "$loader" ] && exec "$loader" /usr/bin/id
done
