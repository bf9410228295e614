// about: something is left for the next run
// in_process: ok 1
// worker: ok 1
// container: omitted: this version runs no scripts in containers
// next: typeof left === "undefined" && ({}).left === undefined

globalThis.left = "here";
try { Object.prototype.left = "here"; } catch {}
setTimeout(() => console.log("late"), 1);
1
