text = "A1 tea 2 1.80; B2 milk 3 4.00; C3 bread 2 3.00"
###
def parse(line):
    name, what, count, price = line.split()
    return {"name": name, "what": what, "count": int(count), "price": float(price)}
###
orders = [parse(part) for part in text.split(";")]
###
def amount(order):
    return order["count"] * order["price"]
###
totals = {order["name"]: amount(order) for order in orders}
###
total = round(sum(totals.values()), 2)
###
biggest = None
###
for name in totals:
    if biggest is None or totals[name] > totals[biggest]:
        biggest = name
###
summary = f"{len(orders)} orders, total {total}, biggest {biggest}"
###
print(summary)
