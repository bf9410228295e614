# about: the object graph leads from an empty tuple to a module that opens files and starts programs
# params: {"path": "$secret"}
# in_process: omitted: Python in process has the rights of the host program, and is not promised to be confined
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

def run(path):
    found = []
    for kind in ().__class__.__base__.__subclasses__():
        names = getattr(kind.__init__, "__globals__", None) or {}
        for name in ("os", "sys", "system", "popen", "open", "posix"):
            if name in names:
                found.append(names[name])
    for reach in found:
        for name in ("open", "popen", "system"):
            function = reach if getattr(reach, "__name__", "") == name else getattr(reach, name, None)
            if function is None:
                continue
            try:
                if name == "open" and getattr(function, "__module__", "") != "posix":
                    return function(path).read()
                if name == "open":
                    return function(path, 0)
                if name == "popen":
                    return function("cat " + path).read() or "denied"
                if function("cat " + path) == 0:
                    return "a shell ran"
            except OSError:
                pass
    return "denied"
