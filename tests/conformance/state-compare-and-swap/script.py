[
    skill.state.update("n", None, 1),
    skill.state.update("n", None, 2),
    skill.state.update("n", 1, 3),
    skill.state.update("n", 1, 4),
    skill.state.get("n"),
]
