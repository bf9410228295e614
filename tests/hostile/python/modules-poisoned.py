# about: modules that the next run imports are replaced
# in_process: ok 1
# worker: ok 1
# container: omitted: this version runs no scripts in containers
# next: __import__('json').loads('[1]') == [1] and __import__('math').pi > 3 and len([]) == 0 and __import__('re').match('a', 'a') is not None

import sys
import types

import json
import re

json.loads = lambda text: "poisoned"
re.match = None
sys.modules["json"] = types.ModuleType("json")
sys.modules["math"] = 5
sys.path.insert(0, "/tmp")
__builtins__["len"] = lambda thing: -1
import builtins
builtins.len = lambda thing: -1
1
