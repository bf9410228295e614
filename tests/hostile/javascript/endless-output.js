// about: both streams are written without end
// limits: output=10KB
// in_process: output_limit
// worker: output_limit
// container: omitted: this version runs no scripts in containers

for (;;) { console.log("out".repeat(100)); console.error("err".repeat(100)); }
