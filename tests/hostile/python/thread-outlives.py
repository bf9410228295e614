# about: threads go on after the run, print and call the host
# in_process: ok "started"
# worker: ok "started"
# container: omitted: this version runs no scripts in containers

import threading
import time

import skill


def go_on():
    while True:
        try:
            print("still here")
            skill.log.info("still here")
            time.sleep(0.001)
        except Exception:
            pass


for _ in range(4):
    threading.Thread(target=go_on, daemon=True).start()
"started"
