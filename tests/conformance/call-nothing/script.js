skill.call("no-such-skill");
