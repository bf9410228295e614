"""Arithmetic on two numbers, in double precision; a whole result is an integer."""

from math import isinf

# Up to here every whole number is a double of its own.
LARGEST_EXACT = 2.0**53


def run(operation: str, operand1: float, operand2: float):
    a, b = float(operand1), float(operand2)
    if operation == "add":
        result = a + b
    elif operation == "subtract":
        result = a - b
    elif operation == "multiply":
        result = a * b
    elif operation == "divide":
        if b == 0:
            raise ZeroDivisionError("cannot divide by zero: operand2 is 0")
        result = a / b
    else:
        raise ValueError(f"unknown operation {operation!r}: use add, subtract, multiply or divide")
    if isinf(result):
        raise OverflowError("the result is too large: it is beyond 1.8e308")
    if result.is_integer() and abs(result) <= LARGEST_EXACT:
        return int(result)
    return result
