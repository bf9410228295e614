# about: one file grows past what was allowed, in a folder that was granted
# limits: file_size=4MB
# params: {"folder": "$granted"}
# in_process: omitted: files that Python writes itself are not counted in process
# worker: ok "denied" | output_limit
# container: omitted: this version runs no scripts in containers
# grants: write=$granted

def run(folder):
    try:
        with open(folder + "/big.bin", "wb", buffering=0) as file:
            for _ in range(64):
                file.write(b"x" * (1 << 20))
    except OSError:
        return "denied"
    return "written"
