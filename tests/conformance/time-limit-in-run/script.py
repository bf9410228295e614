def spin():
    while True:
        pass


def run():
    return spin()
