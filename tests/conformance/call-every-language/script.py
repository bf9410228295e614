names = ["calculator", "calculator-js", "calculator-rhai"]
[skill.call(name, {"operation": "multiply", "operand1": 2.5, "operand2": 4}) for name in names]
