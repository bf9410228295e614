around = {"n": 1}
around["self"] = around
listed = [around]
listed.append(listed)
listed
