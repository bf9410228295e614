"""CSV and JSON as columns with types."""

import csv
import io
import json
import math
import re
from collections import Counter
from datetime import datetime

from .words import unique

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_MISSING = {"", "na", "n/a", "nan", "null", "none"}
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
# A leading zero marks a code rather than a number: 00501 is a place, not five hundred and one.
INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_DECIMAL_COMMA = re.compile(r"[+-]?(0|[1-9][0-9]*),[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+-][0-9:]+)?)?")
NUMBERS = ("int", "float")


def of_csv(text, delimiter, header):
    mark = sniff(text) if delimiter == "auto" else DELIMITERS.get(delimiter, delimiter)
    rows = parse(text, mark)
    first = rows.pop(0) if header and rows else []
    width = max([len(first), *map(len, rows)])
    columns, types = {}, {}
    for place in range(width):
        name = (first[place].strip() if place < len(first) else "") or f"column {place + 1}"
        cells = [row[place].strip() if place < len(row) else "" for row in rows]
        name = unique(name, columns)
        columns[name], types[name] = _inferred(cells, mark != ",")
    return columns, types


def parse(text, mark, most=None):
    """All rows that are not blank, or the first `most` of them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows = []
    try:
        for row in reader:
            if row:
                rows.append(row)
                if len(rows) == most:
                    break
    except csv.Error as error:
        raise ValueError(f"this is not CSV, near line {reader.line_num}: {error}") from None
    return rows


def sniff(text):
    """The delimiter under which most of the first rows have one and the same number of cells, more than one."""

    def score(mark):
        widths = Counter(len(row) for row in parse(text, mark, 20))
        width, rows = widths.most_common(1)[0] if widths else (0, 0)
        return (rows / sum(widths.values()), width) if width > 1 else (0, 0)

    # The first of equals wins, so a single column is a comma's.
    return max(DELIMITERS.values(), key=score)


def of_json(text):
    try:
        data = json.loads(text)
    except ValueError as error:
        try:
            data = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise ValueError(f"this is not JSON: {error}") from None
    if isinstance(data, dict) and data and all(isinstance(cells, list) for cells in data.values()):
        if len({len(cells) for cells in data.values()}) > 1:
            raise ValueError("the columns of this JSON have different lengths")
        columns = data
    else:
        rows = data if isinstance(data, list) else [data]
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("JSON holds a table as a list of objects, or as an object of lists")
        keys = list(dict.fromkeys(key for row in rows for key in row))
        columns = {key: [row.get(key) for row in rows] for key in keys}
    made = {key: _of_values(cells) for key, cells in columns.items()}
    return {key: cells for key, (cells, _) in made.items()}, {key: kind for key, (_, kind) in made.items()}


def _of_values(cells):
    """Cells of JSON: text is looked into as that of CSV is, but for numbers, which JSON would have written as such."""
    cells = [json.dumps(cell, ensure_ascii=False) if isinstance(cell, (list, dict)) else cell for cell in cells]
    filled = [cell for cell in cells if cell is not None]
    if filled and all(isinstance(cell, str) and _DATE.fullmatch(cell) for cell in filled):
        return cells, "date"
    kind = type_of(cells)
    if kind == "text":
        cells = [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells]
    return cells, kind


def _inferred(cells, decimal_comma):
    """Cells of CSV as values of the narrowest type that all of them have."""
    filled = [cell for cell in cells if cell.casefold() not in _MISSING]
    if not filled:
        return [None] * len(cells), "missing"
    for kind, convert in _KINDS:
        if all(convert(cell) is not None for cell in filled):
            return [None if cell.casefold() in _MISSING else convert(cell) for cell in cells], kind
    if decimal_comma and all(_DECIMAL_COMMA.fullmatch(cell) or INTEGER.fullmatch(cell) for cell in filled):
        return [None if cell.casefold() in _MISSING else float(cell.replace(",", ".")) for cell in cells], "float"
    # Where numbers do not come of it, `NA` may be a word.
    return [cell or None for cell in cells], "text"


def _to_float(cell):
    if not NUMBER.fullmatch(cell) or not any(c.isdigit() for c in cell):
        return None
    number = float(cell)
    return number if math.isfinite(number) else None


def _to_date(cell):
    try:
        return cell if _DATE.fullmatch(cell) and datetime.fromisoformat(cell) else None
    except ValueError:
        return None


_KINDS = [
    ("int", lambda cell: int(cell) if INTEGER.fullmatch(cell) else None),
    ("float", _to_float),
    ("bool", lambda cell: BOOLEANS.get(cell.casefold())),
    ("date", _to_date),
]


def type_of(cells):
    kinds = {type(cell) for cell in cells if cell is not None}
    if not kinds:
        return "missing"
    known = {frozenset([int]): "int", frozenset([float]): "float", frozenset([int, float]): "float", frozenset([bool]): "bool"}
    return known.get(frozenset(kinds), "text")
