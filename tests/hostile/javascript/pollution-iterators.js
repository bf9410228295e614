// about: what loops over arrays is replaced
// in_process: ok "[1,2]"
// worker: ok "[1,2]"
// container: omitted: this version runs no scripts in containers
// next: [...[1]].length === 1

Array.prototype[Symbol.iterator] = function* () { for (;;) yield "fooled"; };
Array.prototype.push = Array.prototype.map = Array.prototype.join = () => { for (;;); };
skill.json.stringify([1, 2])
