[
  skill.state.update("n", null, 1),
  skill.state.update("n", null, 2),
  skill.state.update("n", 1, 3),
  skill.state.update("n", 1, 4),
  skill.state.get("n"),
];
