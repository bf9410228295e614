// about: a file is imported at the top
// in_process: script_error
// worker: script_error
// container: omitted: this version runs no scripts in containers

import { secret } from "/etc/passwd";
secret
