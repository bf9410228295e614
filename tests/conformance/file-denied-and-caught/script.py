try:
    result = skill.fs.read("/etc/passwd")
except skill.Error as problem:
    result = {"kind": problem.kind, "named": "/etc/passwd" in problem.message}
result
