const sum = skill.call("calculator-rhai", { operation: "add", operand1: 5, operand2: 3 });
const half = skill.call("calculator-rhai", { operation: "divide", operand1: sum, operand2: 3 });
[sum, half];
