// about: one line of 32 MB is printed
// limits: output=10KB memory=128MB
// in_process: output_limit | memory_limit
// worker: output_limit | memory_limit
// container: omitted: this version runs no scripts in containers

console.log("x".repeat(32 << 20));
