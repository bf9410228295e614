def run():
    x = 5
