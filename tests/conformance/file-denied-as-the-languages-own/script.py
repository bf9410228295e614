try:
    skill.fs.read("/etc/passwd")
except PermissionError:
    caught = True
caught
