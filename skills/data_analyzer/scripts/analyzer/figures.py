"""What is worked out of the cells of a column."""

import math
import re
import statistics

_AGGREGATES = {
    "count": len, "sum": lambda cells: total(cells), "mean": lambda cells: mean(cells) if cells else None,
    "median": lambda cells: statistics.median(cells) if cells else None,
    "min": lambda cells: min(cells, default=None), "max": lambda cells: max(cells, default=None),
    "std": lambda cells: statistics.stdev(cells) if len(cells) > 1 else None, "distinct": lambda cells: len(set(cells)),
}


def aggregate(text, table):
    """`sum(amount) as total` as the name of its column, the function and the column that it is of."""
    found = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*(.*?)\s*\))?\s*(?:as\s+(.+?))?\s*", text, re.IGNORECASE)
    function = found and found[1].lower()
    if function not in _AGGREGATES or (function != "count" and not found[2]):
        raise ValueError(f"{text!r} is no aggregate: use {', '.join(f'{name}(column)' for name in _AGGREGATES)} or count")
    column = table.find(found[2].strip("`")) if found[2] and found[2] != "*" else None
    if column and function in ("sum", "mean", "median", "std"):
        table.numeric(column)
    return found[3] or (f"{function} {column}" if column else function), _AGGREGATES[function], column


def total(cells):
    return sum(cells) if all(isinstance(cell, int) for cell in cells) else math.fsum(cells)


def mean(cells):
    return total(cells) / len(cells)


def quartiles(cells):
    return statistics.quantiles(cells, n=4, method="inclusive") if len(cells) > 1 else [cells[0]] * 3
