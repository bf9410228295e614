# about: everything that the collector knows of is looked through for the secret
# params: {"variable": "$variable"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import gc
import os


def run(variable):
    if variable in os.environ:
        return os.environ[variable]
    for thing in gc.get_objects():
        for text in thing.values() if isinstance(thing, dict) else thing if isinstance(thing, (list, tuple)) else ():
            if isinstance(text, str) and text.startswith("secret-") and len(text) == 39:
                return text
    return "denied"
