skill.json.stringify([0 / 0]);
