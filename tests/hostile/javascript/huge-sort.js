// about: a comparison that lies sorts while it changes the array
// limits: time=500ms
// in_process: timeout
// worker: timeout
// container: omitted: this version runs no scripts in containers

const all = Array.from({ length: 20_000 }, (_, n) => n);
for (;;) all.sort(() => { all.length = 10; all.push(1); return Math.random() - 0.5; });
