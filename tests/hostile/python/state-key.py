# about: a key of the state leads to another skill's
# in_process: ok "denied" | ok
# worker: ok "denied" | ok
# container: omitted: this version runs no scripts in containers

import skill

done = []
for key in ("../other", "/etc/passwd", "..", "a/../../b", "\0"):
    try:
        skill.state.set(key, 1)
        done.append(key)
    except Exception:
        pass
done or "denied"
