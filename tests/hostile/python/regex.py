# about: a regular expression backtracks for ever
# limits: time=300ms
# in_process: omitted: a C call is not interrupted in process
# worker: timeout
# container: omitted: this version runs no scripts in containers

import re

re.match(r"(a+)+$", "a" * 60 + "b")
