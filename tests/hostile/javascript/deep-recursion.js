// about: a function calls itself without end, and catches what stops it
// limits: time=500ms
// in_process: recursion_limit | timeout | script_error
// worker: recursion_limit | timeout | script_error
// container: omitted: this version runs no scripts in containers

let depth = 0;
function down() { depth++; try { down(); } finally { down(); } }
down();
