# about: files of nothing are made, up to 20,000
# limits: time=20s memory=64MB disk=4MB
# in_process: omitted: files that Python writes itself are not counted in process
# worker: ok "denied" | output_limit | memory_limit
# container: omitted: this version runs no scripts in containers

def run():
    made = 0
    try:
        while made < 20_000:
            with open(f"/tmp/{made}", "w"):
                made += 1
    except OSError:
        return "denied"
    return f"made {made}"
