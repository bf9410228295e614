for (;;) {
  try {
    skill.state.get("a");
  } catch {}
}
