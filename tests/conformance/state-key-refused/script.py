skill.state.set("../other", 1)
