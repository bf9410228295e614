// about: code that runs while a class is made does not end
// limits: time=300ms
// in_process: timeout | script_error
// worker: timeout | script_error
// container: omitted: this version runs no scripts in containers

enum Mode { Off, On = (() => { for (;;); return 1; })() }
Mode.On
