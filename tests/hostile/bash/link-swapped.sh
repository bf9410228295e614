# about: a granted file is a link to the secret by the time it is read
# limits: time=20s
# params: {"folder": "$granted", "path": "$secret"}
# in_process: omitted: bash is a program of its own, and has no run in process
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: programs=* write=$granted

for n in {1..50}; do
  echo plain >"$folder/new" && mv "$folder/new" "$folder/swapped"
  ln -sfn "$path" "$folder/swapped"
  text=$(<"$folder/swapped") && [ "$text" != plain ] && echo "read $text"
done 2>/dev/null
echo denied
