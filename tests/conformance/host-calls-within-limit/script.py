for i in range(10):
    skill.state.set("n", i)
"all"
