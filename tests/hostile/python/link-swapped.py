# about: a granted file is swapped for a link to the secret while the host opens it
# limits: time=10s
# params: {"folder": "$granted", "path": "$secret"}
# in_process: ok "denied"
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers
# grants: write=$granted

import os
import threading

import skill


def run(folder, path):
    name = folder + "/swapped"
    going = [True]

    def swap():
        while going[0]:
            try:
                with open(name + ".new", "w") as file:
                    file.write("plain")
                os.rename(name + ".new", name)
                os.symlink(path, name + ".link")
                os.rename(name + ".link", name)
            except OSError:
                pass

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        for _ in range(500):
            try:
                seen.add(skill.fs.read(name))
            except (OSError, RuntimeError):
                pass
    finally:
        going[0] = False
        thread.join()
    return sorted(seen - {"plain", ""}) or "denied"
