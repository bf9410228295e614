# Greets somebody, as often as asked. Parameters stand in variables of their names.
greeting="Hello, $name!"
for ((i = 1; i < times; i++)); do
    greeting+=" Hello, $name!"
done
echo "$greeting"
