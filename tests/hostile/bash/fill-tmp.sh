# about: the private temporary folders are filled
# limits: time=10s memory=64MB disk=4MB
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied" | output_limit | script_error | memory_limit
# container: omitted: this version runs no scripts in containers

block=$(printf '%065536d' 0)
for folder in /tmp /dev/shm /var/tmp /run; do
  for n in {1..400}; do printf %s "$block" || break; done >>"$folder/filler" 2>/dev/null
done
echo denied
