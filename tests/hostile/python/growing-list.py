# about: a list grows until there is no more, and every error is caught
# limits: time=2s memory=64MB
# in_process: memory_limit | timeout
# worker: memory_limit | timeout
# container: omitted: this version runs no scripts in containers

kept = []
while True:
    try:
        kept.append(bytearray(1 << 16))
    except BaseException:
        pass
