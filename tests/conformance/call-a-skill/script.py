total = skill.call("calculator-rhai", {"operation": "add", "operand1": 5, "operand2": 3})
half = skill.call("calculator-rhai", {"operation": "divide", "operand1": total, "operand2": 3})
[total, half]
