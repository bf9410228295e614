skill.hash.sha256();
