# about: a variable grows past the limit, up to 1 GB
# limits: time=5s memory=64MB
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: memory_limit | script_error | crashed
# container: omitted: this version runs no scripts in containers

text=xxxxxxxxxxxxxxxx
while [ ${#text} -lt 1000000000 ]; do text+=$text; done
echo "no limit"
