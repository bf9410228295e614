everything = []
while True: everything.append("0123456789" * 100 + str(len(everything)))
