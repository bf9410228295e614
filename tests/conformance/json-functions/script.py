value = skill.json.parse('{"b": [1, 2.5, null], "a": "ž"}')
[value, skill.json.stringify([1, "ž", None]), skill.json.query(value, "$.b[?@ > 1]")]
