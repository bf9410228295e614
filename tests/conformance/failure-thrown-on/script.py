try:
    skill.fs.read("/etc/passwd")
except skill.Error:
    raise
