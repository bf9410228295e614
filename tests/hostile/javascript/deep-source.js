// about: code that nests deeper than a parser can follow is made and run
// limits: time=3s
// in_process: ok 3 | timeout
// worker: ok 3 | timeout
// container: omitted: this version runs no scripts in containers

const caught = [];
for (const source of ["(".repeat(50_000) + "1" + ")".repeat(50_000), "[".repeat(50_000) + "]".repeat(50_000), "!".repeat(50_000) + "1"]) {
  try { (0, eval)(source); caught.push("ran"); } catch { caught.push("refused"); }
}
caught.length
