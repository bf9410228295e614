# about: a list grows past the limit, up to 1 GB, and every error is caught
# limits: time=2s memory=64MB
# in_process: memory_limit | timeout
# worker: memory_limit | timeout
# container: omitted: this version runs no scripts in containers

def run():
    kept, failed = [], 0
    while len(kept) < 1 << 14 and failed < 100_000_000:
        try:
            kept.append(bytearray(1 << 16))
        except BaseException:
            failed += 1
    return "no limit"
