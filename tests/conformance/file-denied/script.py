path = "/etc/passwd"
skill.fs.read(path)
