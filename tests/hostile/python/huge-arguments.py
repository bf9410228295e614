# about: arguments of 64 MB are given to the host again and again
# limits: time=1s memory=128MB
# in_process: timeout | memory_limit | host_call_limit
# worker: timeout | memory_limit | host_call_limit | crashed
# container: omitted: this version runs no scripts in containers

import skill

while True:
    try:
        skill.hash.sha256("x" * (64 << 20))
    except Exception:
        pass
