const names = ["calculator", "calculator-js", "calculator-rhai"];
names.map((name) => skill.call(name, { operation: "multiply", operand1: 2.5, operand2: 4 }));
