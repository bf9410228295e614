# about: a file is made where nothing was granted
# params: {"path": "$outside/made.txt"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# granted: write=$outside
# granted_ok: "written"

def run(path):
    try:
        with open(path, "w") as file:
            file.write("written")
        return "written"
    except OSError:
        return "denied"
