skill.hash.sha256()
