// about: JSON that nests 100,000 deep is parsed, by the language and by the host
// in_process: ok "refused"
// worker: ok "refused"
// container: omitted: this version runs no scripts in containers

const deep = "[".repeat(100_000) + "]".repeat(100_000);
const caught = [];
for (const parse of [JSON.parse, skill.json.parse]) {
  try { parse(deep); caught.push("parsed"); } catch { caught.push("refused"); }
}
caught[1]
