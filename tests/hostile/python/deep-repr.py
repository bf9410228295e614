# about: a list that nests 100,000 deep is shown
# in_process: recursion_limit | script_error "RecursionError"
# worker: recursion_limit | script_error "RecursionError"
# container: omitted: this version runs no scripts in containers

deep = []
for _ in range(100_000):
    deep = [deep]
repr(deep)
