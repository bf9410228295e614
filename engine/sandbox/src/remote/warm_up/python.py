import json


class Item:
    def __init__(self, name, price=1.5):
        self.name, self.price = name, price


def total(items, *, factor=2):
    try:
        return sum(item.price for item in items) * factor
    except (AttributeError, KeyError) as error:
        raise ValueError(f"no price: {error}") from error


items = [Item(name, price=len(name) / 2) for name in "tea,milk".split(",")]
groups = {item.name: [item.price, -1 % 3, "x" in item.name] for item in items if item}
with_text = f"{total(items):.2f} {json.dumps(groups)}"
while groups:
    groups.popitem()
print(end="")
{"total": total(items), "text": with_text, "same": 1 + 1 == 2}
