missing = skill.state.get("a")
fallback = skill.state.get("a", 7)
skill.state.set("b", {"list": [1, "ž"]})
skill.state.set("a", None)
keys = skill.state.keys()
gone = skill.state.delete("a")
again = skill.state.delete("a")
[missing, fallback, keys, skill.state.get("b"), gone, again, skill.state.keys()]
