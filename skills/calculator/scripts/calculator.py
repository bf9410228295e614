"""Arithmetic on two numbers: exact on whole ones, in double precision on others."""

from math import isinf

# Up to here every whole number is a double of its own.
LARGEST_EXACT = 2**53
# Whole numbers have 64 bits.
LEAST, MOST = -(2**63), 2**63 - 1
RANGE = f"whole numbers go from {LEAST} to {MOST}"


def run(operation: str, operand1: float, operand2: float):
    if operation not in ("add", "subtract", "multiply", "divide"):
        raise ValueError(f"unknown operation {operation!r}: use add, subtract, multiply or divide")
    if operation == "divide" and operand2 == 0:
        raise ZeroDivisionError("cannot divide by zero: operand2 is 0")
    a, b = whole("operand1", operand1), whole("operand2", operand2)
    if a is not None and b is not None:
        return of_whole(operation, a, b)
    return of_doubles(operation, float(operand1), float(operand2))


def whole(name: str, x):
    """The integer that a number is, and None where it has a fraction or is beyond what doubles tell apart."""
    if isinstance(x, float):
        return int(x) if x.is_integer() and abs(x) <= LARGEST_EXACT else None
    if not LEAST <= x <= MOST:
        raise OverflowError(f"{name} is too large: {RANGE}")
    return x


def of_whole(operation: str, a: int, b: int):
    if operation == "divide":
        if a % b != 0:
            return of_doubles(operation, float(a), float(b))
        result = a // b
    else:
        result = apply(operation, a, b)
    if not LEAST <= result <= MOST:
        raise OverflowError(f"the result is too large: {RANGE}")
    return result


def of_doubles(operation: str, a: float, b: float):
    result = apply(operation, a, b)
    if isinf(result):
        raise OverflowError("the result is too large: it is beyond 1.8e308")
    if result.is_integer() and abs(result) <= LARGEST_EXACT:
        return int(result)
    return result


def apply(operation: str, a, b):
    if operation == "add":
        return a + b
    if operation == "subtract":
        return a - b
    if operation == "multiply":
        return a * b
    return a / b
