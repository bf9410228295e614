runs = skill.state.get("runs", 0) + 1
skill.state.set("runs", runs)
runs
