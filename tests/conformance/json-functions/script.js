const value = skill.json.parse('{"b": [1, 2.5, null], "a": "ž"}');
[value, skill.json.stringify([1, "ž", null]), skill.json.query(value, "$.b[?@ > 1]")];
