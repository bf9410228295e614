# about: threads are started without end
# limits: time=500ms processes=16 memory=128MB
# in_process: omitted: the number of threads is not limited in process
# worker: timeout | permission_denied | memory_limit
# container: omitted: this version runs no scripts in containers

import threading
import time

while True:
    try:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    except BaseException:
        pass
