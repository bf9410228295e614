# about: a file that was not granted is read
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: read=$outside
# granted_ok: "read"

def run(path):
    try:
        return "read" if open(path).read().startswith("secret-") else "something else"
    except OSError:
        return "denied"
