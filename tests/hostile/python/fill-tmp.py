# about: the private temporary folders are filled, each with 32 MB at most
# limits: memory=64MB disk=4MB file_size=8MB
# in_process: omitted: files that Python writes itself are not counted in process
# worker: ok "denied" | output_limit | memory_limit | crashed
# container: omitted: this version runs no scripts in containers

def run():
    full = 0
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/dev", "/"):
        try:
            with open(folder + "/filler", "wb") as file:
                for _ in range(32):
                    file.write(b"x" * (1 << 20))
                    file.flush()
        except OSError:
            full += 1
    return "denied" if full == 6 else "room for all of it"
