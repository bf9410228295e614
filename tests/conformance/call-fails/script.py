skill.call("calculator-rhai", {"operation": "divide", "operand1": 1, "operand2": 0})
