everything = []
while True: everything.append("0123456789" * 100000 + str(len(everything)))
