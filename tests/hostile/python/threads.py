# about: threads are started past their limit; few enough for a machine whose limit fails
# limits: time=500ms processes=16 memory=128MB
# params: {"most": 200}
# in_process: omitted: the number of threads is not limited in process
# worker: timeout | permission_denied | memory_limit
# container: omitted: this version runs no scripts in containers

import threading
import time


def run(most):
    started = 0
    while started < most:
        try:
            threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
            started += 1
        except RuntimeError:
            while True:
                pass
    return f"started {started}"
