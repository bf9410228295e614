skill.json.stringify([float("nan")])
