// about: a text is doubled without end
// limits: memory=64MB
// in_process: memory_limit | script_error
// worker: memory_limit | script_error
// container: omitted: this version runs no scripts in containers

let text = "x";
for (;;) text += text;
