def run(a):
    if (a:
        return 1
