# about: the host's own function is asked for a file that was not granted
# params: {"path": "$secret"}
# in_process: ok "denied"
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: read=$outside
# granted_ok: "read"

import skill


def run(path):
    try:
        return "read" if skill.fs.read(path).startswith("secret-") else "something else"
    except PermissionError:
        return "denied"
