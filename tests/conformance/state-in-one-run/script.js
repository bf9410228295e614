const missing = skill.state.get("a");
const fallback = skill.state.get("a", 7);
skill.state.set("b", { list: [1, "ž"] });
skill.state.set("a", null);
const keys = skill.state.keys();
const gone = skill.state.delete("a");
const again = skill.state.delete("a");
[missing, fallback, keys, skill.state.get("b"), gone, again, skill.state.keys()];
