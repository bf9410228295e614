# about: a format string walks attributes to the globals of the bridge
# params: {"variable": "$variable"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import skill


def run(variable):
    out = ""
    for template in ("{0.__class__.__init__.__globals__}", "{0.fs.read.__self__}", "{0.__class__.__mro__[1].__subclasses__}",
                     "{0.__loader__.__init__.__globals__}", "{0.__spec__.loader.__init__.__globals__[sys].modules[os].environ}"):
        try:
            out += template.format(skill)
        except Exception:
            pass
    return out if variable in out else "denied"
