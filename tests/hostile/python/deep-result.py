# about: a list that nests 100,000 deep is the result
# in_process: script_error
# worker: script_error
# container: omitted: this version runs no scripts in containers

deep = []
for _ in range(100_000):
    deep = [deep]
deep
