import skill


def run(order):
    total = sum(line["count"] * line["price"] for line in order["lines"])
    receipt = skill.call("wording", {"customer": order["customer"], "total": total})
    receipt["languages"].insert(0, "python")
    return receipt
