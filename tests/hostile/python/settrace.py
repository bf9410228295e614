# about: the hooks that could stop the script are replaced, and it loops
# limits: time=300ms
# in_process: timeout
# worker: timeout
# container: omitted: this version runs no scripts in containers

import sys
import threading

sys.settrace(lambda *rest: None)
sys.setprofile(lambda *rest: None)
threading.settrace(None)
try:
    sys.monitoring.restart_events()
    for tool in range(6):
        sys.monitoring.free_tool_id(tool)
except Exception:
    pass
while True:
    pass
