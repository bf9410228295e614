# about: finalizers loop, come back to life, and run when the interpreter tidies up
# limits: time=300ms
# in_process: ok 1 | timeout
# worker: ok 1 | timeout
# container: omitted: this version runs no scripts in containers

class Loops:
    def __del__(self):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass


class Returns:
    def __del__(self):
        global kept
        kept = Returns()


loops = [Loops() for _ in range(3)]
kept = Returns()
circle = [Loops()]
circle.append(circle)
1
