# about: files of nothing are made, up to 20,000
# limits: time=20s memory=64MB disk=4MB
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied" | output_limit | script_error | memory_limit
# container: omitted: this version runs no scripts in containers

for ((n = 0; n < 20000; n++)); do
  : >"/tmp/$n" || { echo denied; exit; }
done 2>/dev/null
echo "made $n"
