"""A summary of a CSV table, column by column."""

import csv
import io
import math
import re
from collections import Counter
from datetime import datetime, timezone

import skill

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
SAMPLE_ROWS = 20

# A leading zero marks a code rather than a number: 00501 is a place, not five hundred and one.
INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


def run(text=None, path=None, delimiter="auto", header=True, top=3):
    if (text is None) == (path is None):
        raise ValueError("give either text, with the CSV itself, or path, with the name of a file")
    if path is not None:
        text = skill.fs.read(path)
    text = text.removeprefix("\ufeff")
    separator = DELIMITERS[delimiter] if delimiter != "auto" else detect(text)
    rows = parse(text, separator)
    first = rows.pop(0) if header and rows else []
    width = max([len(first), *map(len, rows)])
    names = column_names(first, width)
    summary = {
        "rows": len(rows),
        "delimiter": next(name for name, mark in DELIMITERS.items() if mark == separator),
        "ragged_rows": sum(len(row) != width for row in rows),
        "columns": [],
    }
    for index, name in enumerate(names):
        cells = [row[index].strip() if index < len(row) else "" for row in rows]
        summary["columns"].append({"name": name, **describe(cells, top)})
        skill.progress((index + 1) / width, f"column {name}")
    return summary


def parse(text, separator, most=None):
    """All rows that are not blank, or the first `most` of them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
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


def detect(text):
    """The delimiter under which most of the first rows have one and the same number of cells, more than one."""

    def score(separator):
        widths = Counter(len(row) for row in parse(text, separator, SAMPLE_ROWS))
        if not widths:
            return 0, 0
        width, rows = widths.most_common(1)[0]
        return (rows / sum(widths.values()), width) if width > 1 else (0, 0)

    # The first of equals wins, so a single column is a comma's.
    return max(DELIMITERS.values(), key=score)


def column_names(first, width):
    """One name a column, each once, with a number for those that have none."""
    names = []
    for index in range(width):
        name = first[index].strip() if index < len(first) else ""
        name = name or f"column {index + 1}"
        unique, copy = name, 2
        while unique in names:
            unique, copy = f"{name} ({copy})", copy + 1
        names.append(unique)
    return names


def describe(cells, top):
    filled = [cell for cell in cells if cell]
    counts = Counter(filled)
    common = {"filled": len(filled), "empty": len(cells) - len(filled), "distinct": len(counts)}
    if not filled:
        return {"type": "empty", **common}
    for kind, convert, summarise in KINDS:
        values = convert_all(filled, convert)
        if values is not None:
            return {"type": kind, **common, **summarise(values)}
    lengths = [len(cell) for cell in filled]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "type": "text",
        **common,
        "shortest": min(lengths),
        "longest": max(lengths),
        "top": [{"value": value, "count": count} for value, count in ranked[:top]],
    }


def convert_all(cells, convert):
    values = []
    for cell in cells:
        value = convert(cell)
        if value is None:
            return None
        values.append(value)
    return values


def to_integer(cell):
    return int(cell) if INTEGER.fullmatch(cell) else None


def to_number(cell):
    if not NUMBER.fullmatch(cell) or not any(c.isdigit() for c in cell):
        return None
    number = float(cell) if len(cell) <= 400 else math.inf
    return number if math.isfinite(number) else None


def to_boolean(cell):
    return BOOLEANS.get(cell.lower())


def to_date(cell):
    """A moment that compares with others, beside how it was written."""
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        return None
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)), cell


def of_numbers(values):
    ordered = sorted(values)
    count = len(ordered)
    total = sum(ordered) if isinstance(ordered[0], int) else math.fsum(ordered)
    mean = total / count
    middle = ordered[(count - 1) // 2 : count // 2 + 1]
    spread = math.fsum((value - mean) ** 2 for value in ordered)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "median": middle[0] if middle[0] == middle[-1] else math.fsum(middle) / 2,
        # Of a sample: one value has none.
        "stdev": math.sqrt(spread / (count - 1)) if count > 1 else None,
        "sum": total,
    }


def of_booleans(values):
    return {"true": sum(values), "false": len(values) - sum(values)}


def of_dates(values):
    return {"min": min(values)[1], "max": max(values)[1]}


KINDS = [
    ("integer", to_integer, of_numbers),
    ("number", to_number, of_numbers),
    ("boolean", to_boolean, of_booleans),
    ("date", to_date, of_dates),
]
