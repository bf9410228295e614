# about: arguments that nest 100,000 deep are given to the host
# in_process: ok "denied"
# worker: ok "denied"
# container: omitted: this version runs no scripts in containers

import skill

deep = []
for _ in range(100_000):
    deep = [deep]
try:
    skill.json.stringify(deep)
    result = "taken"
except Exception:
    result = "denied"
result
