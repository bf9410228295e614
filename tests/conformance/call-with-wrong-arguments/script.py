skill.call("calculator-rhai", {"operation": "add", "operand1": 5})
