skill.hash.sha256("a", "b");
