# about: every exception is caught, the one that stops the script too
# limits: time=300ms
# in_process: timeout
# worker: timeout
# container: omitted: this version runs no scripts in containers

while True:
    try:
        while True:
            pass
    except BaseException:
        pass
