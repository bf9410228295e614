"""Tables that stay loaded: read CSV and JSON, describe, filter, group, join, correlate, draw.

In a session, `load("sales.csv")` makes the table `df`, and the functions work on it: `describe()`, `where("amount > 100")`,
`group("region", "sum(amount)")`, `sort("amount", descending=True)`, `corr()`, `hist("amount")`. Each table has them as methods too.
"""

import csv
import difflib
import functools
import io
import json
import math
import re
import statistics
from collections import Counter
from datetime import datetime

import skill

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_MISSING = {"", "na", "n/a", "nan", "null", "none"}
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
# A leading zero marks a code rather than a number: 00501 is a place, not five hundred and one.
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_DECIMAL_COMMA = re.compile(r"[+-]?(0|[1-9][0-9]*),[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+-][0-9:]+)?)?")
_NUMBERS = ("int", "float")
_BLOCKS = " ▏▎▍▌▋▊▉█"
_WIDTH = 40

# Found again where this file is evaluated a second time in one session.
tables = globals().get("tables", {})
df = globals().get("df")


class Table:
    """Columns of equal length, each with a name and a type: int, float, bool, date, text or missing."""

    def __init__(self, columns, types=None, name="table"):
        self.name = name
        self._columns = dict(columns)
        self.types = dict(types) if types else {key: _type_of(cells) for key, cells in self._columns.items()}
        # `table.amount`, also for completion, which looks at attributes and runs nothing.
        for column, cells in self._columns.items():
            if isinstance(column, str) and column.isidentifier() and not hasattr(Table, column):
                self.__dict__.setdefault(column, cells)

    @property
    def columns(self):
        return list(self._columns)

    @property
    def rows(self):
        """Every row as a dict."""
        return [dict(zip(self._columns, row)) for row in zip(*self._columns.values())]

    def __len__(self):
        return len(next(iter(self._columns.values()), ()))

    def __getitem__(self, column):
        return self._columns[self.find(column)]

    def __getattr__(self, name):
        # A table that is being restored has nothing yet.
        if name.startswith("_") or "name" not in self.__dict__:
            raise AttributeError(name)
        raise AttributeError(f"{self.name!r} has no column {name!r}{_nearest(name, self._columns)}")

    def __repr__(self):
        return f"{self.name}: {_count(len(self), 'row')}, {_count(len(self._columns), 'column')}\n{_drawn(self.head(10))}"

    def find(self, column):
        """The column of a name; case does not count where only one differs by it."""
        if column in self._columns:
            return column
        same = [name for name in self._columns if name.casefold() == str(column).casefold()]
        if len(same) == 1:
            return same[0]
        raise ValueError(f"{self.name!r} has no column {column!r}{_nearest(column, self._columns)}")

    def numeric(self, column):
        """The numbers of a column, without what is missing."""
        column = self.find(column)
        if self.types[column] not in _NUMBERS:
            raise ValueError(f"{column!r} holds {self.types[column]}, not numbers")
        return [cell for cell in self._columns[column] if cell is not None]

    def take(self, indexes):
        """The rows at these places."""
        picked = {name: [cells[index] for index in indexes] for name, cells in self._columns.items()}
        return Table(picked, self.types, self.name)

    def head(self, n=5):
        return self.take(range(min(n, len(self))))

    def select(self, *columns):
        wanted = [self.find(column) for column in _names(columns)]
        return Table({name: self._columns[name] for name in wanted}, {name: self.types[name] for name in wanted}, self.name)

    def where(self, condition):
        """The rows that a condition holds for: `amount > 100 and region in ('N', 'S')`."""
        holds = _Condition(condition, self).parsed
        return self.take([index for index in range(len(self)) if holds(index)])

    def sort(self, *columns, descending=False):
        """Sorted by columns; what is missing comes last."""
        order = list(range(len(self)))
        for column in reversed(_names(columns)):
            cells = self[column]
            present = [index for index in order if cells[index] is not None]
            absent = [index for index in order if cells[index] is None]
            order = sorted(present, key=lambda index: cells[index], reverse=descending) + absent
        return self.take(order)

    def group(self, by, *aggregates):
        """One row for each value of `by`, with aggregates such as `sum(amount)` and `mean(price) as price`."""
        by = [self.find(column) for column in _names([by])]
        wanted = [_aggregate(text, self) for text in _names(aggregates or ["count"])]
        groups = {}
        for index, key in enumerate(zip(*(self._columns[column] for column in by))):
            groups.setdefault(key, []).append(index)
        keys = sorted(groups, key=lambda key: [(cell is None, cell if cell is not None else 0) for cell in key])
        columns = {column: [key[place] for key in keys] for place, column in enumerate(by)}
        for name, function, column in wanted:
            cells = self._columns[column] if column else None
            columns[_unique(name, columns)] = [
                function([cells[index] for index in groups[key] if cells[index] is not None] if cells else groups[key])
                for key in keys
            ]
        return Table(columns, name=f"{self.name} by {', '.join(by)}")

    def join(self, other, on, how="inner"):
        """Each row with the rows of another table that have the same values in the columns `on`."""
        if how not in ("inner", "left"):
            raise ValueError(f"a join is inner or left, not {how!r}")
        mine, theirs = [[table.find(column) for column in _names([on])] for table in (self, other)]
        places = {}
        for index, key in enumerate(zip(*(other[column] for column in theirs))):
            if None not in key:
                places.setdefault(key, []).append(index)
        pairs = []
        for index, key in enumerate(zip(*(self[column] for column in mine))):
            found = places.get(key, [None] if how == "left" else [])
            pairs.extend((index, match) for match in found)
        columns = {name: [cells[left] for left, _ in pairs] for name, cells in self._columns.items()}
        for name in other.columns:
            if name not in theirs:
                cells = other[name]
                columns[_unique(name, columns)] = [None if right is None else cells[right] for _, right in pairs]
        return Table(columns, name=f"{self.name} with {other.name}")

    def describe(self, *columns):
        """A row of figures for each column. Quartiles are inclusive, as in NumPy and Excel's QUARTILE.INC; std is a sample's."""
        wanted = _names(columns) or self.columns
        return [self._describe(self.find(column)) for column in wanted]

    def _describe(self, column):
        cells = [cell for cell in self._columns[column] if cell is not None]
        kind = self.types[column]
        told = {"column": column, "type": kind, "count": len(cells), "missing": len(self) - len(cells)}
        if not cells:
            return told
        if kind in _NUMBERS:
            q1, median, q3 = _quartiles(cells)
            spread = statistics.stdev(cells) if len(cells) > 1 else None
            figures = {"mean": _mean(cells), "std": spread, "min": min(cells), "q1": q1, "median": median, "q3": q3}
            return {**told, **figures, "max": max(cells)}
        if kind == "date":
            return {**told, "min": min(cells), "max": max(cells)}
        ranked = sorted(Counter(cells).items(), key=lambda item: (-item[1], str(item[0])))
        top = [{"value": value, "count": number} for value, number in ranked[:3]]
        return {**told, "distinct": len(ranked), "top": top}

    def corr(self, a=None, b=None):
        """Pearson's correlation of two columns, or of each pair of columns that hold numbers."""
        if a is not None and b is not None:
            return self._correlation(a, b)
        wanted = [column for column in self.columns if self.types[column] in _NUMBERS]
        wanted = [self.find(a)] if a is not None else wanted
        others = [column for column in self.columns if self.types[column] in _NUMBERS]
        return [{"column": x, **{y: self._correlation(x, y, None) for y in others}} for x in wanted]

    def _correlation(self, a, b, *instead):
        self.numeric(a), self.numeric(b)
        pairs = [(x, y) for x, y in zip(self[a], self[b]) if x is not None and y is not None]
        try:
            return statistics.correlation(*zip(*pairs))
        except (statistics.StatisticsError, TypeError):
            if instead:
                return instead[0]
            raise ValueError(f"{a!r} and {b!r} have no correlation: one of them does not vary") from None

    def bins(self, column, bins=None):
        """How many values lie where: ranges for numbers, the values themselves for the rest."""
        column = self.find(column)
        if self.types[column] not in _NUMBERS:
            ranked = Counter(cell for cell in self[column] if cell is not None).most_common(bins or 20)
            return [{"value": value, "count": number} for value, number in ranked]
        cells = self.numeric(column)
        if not cells:
            return []
        low, high = min(cells), max(cells)
        number = 1 if low == high else bins or max(1, math.ceil(math.log2(len(cells))) + 1)
        step = (high - low) / number or 1
        counts = Counter(min(int((cell - low) / step), number - 1) for cell in cells)
        return [{"from": low + place * step, "to": low + (place + 1) * step, "count": counts[place]} for place in range(number)]

    def hist(self, column, bins=None):
        """Draws the distribution of a column."""
        print(_chart(self.find(column), self.bins(column, bins)))

    def to_csv(self, delimiter=","):
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_written(cell) for cell in row] for row in zip(*self._columns.values()))
        return out.getvalue()

    def to_json(self):
        return json.dumps(self.rows, ensure_ascii=False, indent=2)


# Reading


def load(path=None, text=None, name=None, format="auto", delimiter="auto", header=True):
    """Reads CSV, JSON or JSON Lines, from a file or from text, and makes it the table at hand, `df`."""
    global df
    if (path is None) == (text is None):
        raise ValueError("give either path, with the name of a CSV or JSON file, or text, with the data itself")
    if path is not None:
        text = skill.fs.read(path)
    text = text.removeprefix("\ufeff")
    if format == "auto":
        format = "json" if (path or "").lower().endswith((".json", ".jsonl")) or text.lstrip()[:1] in ("[", "{") else "csv"
    stem = re.split(r"[/\\]", path)[-1].rsplit(".", 1)[0] if path else "data"
    columns, types = _of_json(text) if format == "json" else _of_csv(text, delimiter, header)
    df = Table(columns, types, name or stem or "data")
    tables[df.name] = df
    return df


def _of_csv(text, delimiter, header):
    mark = _sniff(text) if delimiter == "auto" else _DELIMITERS.get(delimiter, delimiter)
    rows = _parse(text, mark)
    first = rows.pop(0) if header and rows else []
    width = max([len(first), *map(len, rows)])
    columns, types = {}, {}
    for place in range(width):
        name = (first[place].strip() if place < len(first) else "") or f"column {place + 1}"
        cells = [row[place].strip() if place < len(row) else "" for row in rows]
        name = _unique(name, columns)
        columns[name], types[name] = _inferred(cells, mark != ",")
    return columns, types


def _parse(text, mark, most=None):
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


def _sniff(text):
    """The delimiter under which most of the first rows have one and the same number of cells, more than one."""

    def score(mark):
        widths = Counter(len(row) for row in _parse(text, mark, 20))
        width, rows = widths.most_common(1)[0] if widths else (0, 0)
        return (rows / sum(widths.values()), width) if width > 1 else (0, 0)

    # The first of equals wins, so a single column is a comma's.
    return max(_DELIMITERS.values(), key=score)


def _of_json(text):
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
    kind = _type_of(cells)
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
    if decimal_comma and all(_DECIMAL_COMMA.fullmatch(cell) or _INTEGER.fullmatch(cell) for cell in filled):
        return [None if cell.casefold() in _MISSING else float(cell.replace(",", ".")) for cell in cells], "float"
    # Where numbers do not come of it, `NA` may be a word.
    return [cell or None for cell in cells], "text"


def _to_float(cell):
    if not _FLOAT.fullmatch(cell) or not any(c.isdigit() for c in cell):
        return None
    number = float(cell)
    return number if math.isfinite(number) else None


def _to_date(cell):
    try:
        return cell if _DATE.fullmatch(cell) and datetime.fromisoformat(cell) else None
    except ValueError:
        return None


_KINDS = [
    ("int", lambda cell: int(cell) if _INTEGER.fullmatch(cell) else None),
    ("float", _to_float),
    ("bool", lambda cell: _BOOLEANS.get(cell.casefold())),
    ("date", _to_date),
]


def _type_of(cells):
    kinds = {type(cell) for cell in cells if cell is not None}
    if not kinds:
        return "missing"
    known = {frozenset([int]): "int", frozenset([float]): "float", frozenset([int, float]): "float", frozenset([bool]): "bool"}
    return known.get(frozenset(kinds), "text")


# Conditions


class _Condition:
    """A condition over columns, parsed and never evaluated as code.

    `amount > 100`, `region = 'N' or region is missing`, `name contains "ann"`, `id in (1, 2)`, `not (a <= b)`; names with spaces
    stand in backticks. What is missing fulfils no comparison.
    """

    TOKENS = re.compile(
        r"\s*(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+)?)|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
        r"|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<quoted>`[^`]+`)|(?P<name>[^\W0-9]\w*)"
        r"|(?P<mark><=|>=|==|!=|<>|=|<|>|\(|\)|,))"
    )
    COMPARE = {
        "=": lambda a, b: a == b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<>": lambda a, b: a != b,
        "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
        "contains": lambda a, b: str(b).casefold() in str(a).casefold(),
        "startswith": lambda a, b: str(a).casefold().startswith(str(b).casefold()),
        "endswith": lambda a, b: str(a).casefold().endswith(str(b).casefold()),
    }

    def __init__(self, text, table):
        self.text, self.table, self.place = text, table, 0
        self.tokens = []
        at = 0
        while text[at:].strip():
            token = self.TOKENS.match(text, at)
            if not token:
                raise ValueError(f"cannot read the condition {text!r} from {text[at:].strip()!r} on")
            self.tokens.append((token.lastgroup, token[token.lastgroup]))
            at = token.end()
        self.parsed = self.any()
        if self.place < len(self.tokens):
            raise self.wrong("`and` or `or`")

    def wrong(self, wanted):
        found = repr(self.tokens[self.place][1]) if self.place < len(self.tokens) else "the end"
        return ValueError(f"the condition {self.text!r} has {found} where {wanted} should be")

    def accept(self, *words):
        if self.place < len(self.tokens):
            kind, text = self.tokens[self.place]
            if kind in ("name", "mark") and text.lower() in words:
                self.place += 1
                return text.lower()
        return None

    def expect(self, word):
        if not self.accept(word):
            raise self.wrong(f"`{word}`")

    def any(self):
        parts = [self.all()]
        while self.accept("or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else lambda index: any(part(index) for part in parts)

    def all(self):
        parts = [self.one()]
        while self.accept("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda index: all(part(index) for part in parts)

    def one(self):
        if self.accept("not"):
            part = self.one()
            return lambda index: not part(index)
        if self.accept("("):
            part = self.any()
            self.expect(")")
            return part
        return self.comparison()

    def comparison(self):
        left, kind, shown = self.operand()
        if self.accept("is"):
            wanted = not self.accept("not")
            self.expect("missing")
            return lambda index: (left(index) is None) == wanted
        if self.accept("in"):
            self.expect("(")
            options = [self.value(kind, shown)]
            while self.accept(","):
                options.append(self.value(kind, shown))
            self.expect(")")
            return lambda index: left(index) is not None and any(left(index) == option(index) for option in options)
        operator = self.accept(*self.COMPARE)
        if not operator:
            raise self.wrong("a comparison, such as `>`, `=`, `contains`, `in` or `is missing`,")
        compare = self.COMPARE[operator]
        right = self.value(kind, shown) if operator not in ("contains", "startswith", "endswith") else self.operand()[0]

        def holds(index):
            a, b = left(index), right(index)
            return a is not None and b is not None and compare(a, b)

        return holds

    def value(self, kind, shown):
        right, other, told = self.operand()
        plain = {"int": "number", "float": "number", "date": "text"}
        if "missing" not in (kind, other) and plain.get(kind, kind) != plain.get(other, other):
            raise ValueError(f"{shown} holds {kind}, and {told} is {other}: they cannot be compared")
        return right

    def operand(self):
        if self.place == len(self.tokens):
            raise self.wrong("a column or a value")
        kind, text = self.tokens[self.place]
        if kind == "mark":
            raise self.wrong("a column or a value")
        self.place += 1
        if kind == "number":
            number = float(text) if any(c in text for c in ".eE") else int(text)
            return lambda index: number, "float", text
        if kind in ("text", "date"):
            literal = text[1:-1].replace(text[0] * 2, text[0]) if kind == "text" else text
            return lambda index: literal, "text", repr(literal)
        if kind == "name" and text.lower() in ("true", "false") and text not in self.table.columns:
            truth = text.lower() == "true"
            return lambda index: truth, "bool", text
        column = self.table.find(text.strip("`"))
        cells = self.table[column]
        return lambda index: cells[index], self.table.types[column], repr(column)


# Figures and text

_AGGREGATES = {
    "count": len, "sum": lambda cells: _total(cells), "mean": lambda cells: _mean(cells) if cells else None,
    "median": lambda cells: statistics.median(cells) if cells else None,
    "min": lambda cells: min(cells, default=None), "max": lambda cells: max(cells, default=None),
    "std": lambda cells: statistics.stdev(cells) if len(cells) > 1 else None, "distinct": lambda cells: len(set(cells)),
}


def _aggregate(text, table):
    """`sum(amount) as total` as the name of its column, the function and the column that it is of."""
    found = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*(.*?)\s*\))?\s*(?:as\s+(.+?))?\s*", text, re.IGNORECASE)
    function = found and found[1].lower()
    if function not in _AGGREGATES or (function != "count" and not found[2]):
        raise ValueError(f"{text!r} is no aggregate: use {', '.join(f'{name}(column)' for name in _AGGREGATES)} or count")
    column = table.find(found[2].strip("`")) if found[2] and found[2] != "*" else None
    if column and function in ("sum", "mean", "median", "std"):
        table.numeric(column)
    return found[3] or (f"{function} {column}" if column else function), _AGGREGATES[function], column


def _total(cells):
    return sum(cells) if all(isinstance(cell, int) for cell in cells) else math.fsum(cells)


def _mean(cells):
    return _total(cells) / len(cells)


def _quartiles(cells):
    return statistics.quantiles(cells, n=4, method="inclusive") if len(cells) > 1 else [cells[0]] * 3


def _names(given):
    """Names from lists and from text with commas, in any mixture."""
    flat = []
    for item in given:
        flat.extend(_names(item) if isinstance(item, (list, tuple)) else re.split(r"\s*,\s*(?![^()]*\))", item.strip()))
    return [name for name in flat if name]


def _unique(name, taken):
    copy, result = 2, name
    while result in taken:
        result, copy = f"{name} ({copy})", copy + 1
    return result


def _nearest(name, known):
    close = difflib.get_close_matches(str(name).casefold(), [key.casefold() for key in known], 1, 0.5)
    found = next((key for key in known if close and key.casefold() == close[0]), None)
    return f"; did you mean {found!r}?" if found else f"; it has {', '.join(map(repr, known)) or 'none'}"


def _count(number, word):
    return f"{number} {word}{'' if number == 1 else 's'}"


def _written(cell):
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else cell


def _drawn(table):
    """A table as text, numbers to the right."""
    cells = {name: [_short(cell) for cell in table[name]] for name in table.columns}
    widths = {name: max(map(len, [name, *column]), default=0) for name, column in cells.items()}

    def row(texts):
        right = [table.types[name] in _NUMBERS for name in widths]
        parts = [text.rjust(width) if r else text.ljust(width) for text, width, r in zip(texts, widths.values(), right)]
        return "  ".join(parts).rstrip()

    return "\n".join([row(widths), *(row(texts) for texts in zip(*cells.values()))])


def _short(cell):
    text = f"{cell:.6g}" if isinstance(cell, float) else str(_written(cell))
    return text if len(text) <= 30 else f"{text[:29]}…"


def _chart(title, bins):
    """Bars of block characters."""
    labels = [f"{_short(b['from'])} – {_short(b['to'])}" if "from" in b else _short(b["value"]) for b in bins]
    most = max((b["count"] for b in bins), default=0)
    width = max(map(len, labels), default=0)
    lines = [title]
    for label, b in zip(labels, bins):
        eighths = round(b["count"] / most * _WIDTH * 8) if most else 0
        bar = _BLOCKS[-1] * (eighths // 8) + _BLOCKS[eighths % 8].strip()
        lines.append(f"{label.rjust(width)} │{bar} {b['count']}")
    return "\n".join(lines)


# What a session has at hand


def _at_hand(name=None):
    """The table of a name, or the one that was loaded last."""
    if name is not None and name not in tables:
        raise ValueError(f"there is no table {name!r}{_nearest(name, tables)}")
    table = tables[name] if name is not None else df
    if table is None:
        raise ValueError("no data is loaded yet: give path, with the name of a CSV or JSON file, or text, with the data itself")
    return table


def keep(table, name):
    """Gives a table a name, under which it stays."""
    table.name = name
    tables[name] = table
    return table


def _on_df(method):
    def call(*args, **kwargs):
        try:
            return getattr(_at_hand(), method)(*args, **kwargs)
        except ValueError as error:
            # What is wrong with the call has no place in this file.
            raise ValueError(str(error)) from None

    call.__name__, call.__doc__ = method, getattr(Table, method).__doc__
    # What it is called with, for help: that of the method, without the table.
    call.__wrapped__ = functools.partial(getattr(Table, method), None)
    return call


head, select, where, sort, group = map(_on_df, ["head", "select", "where", "sort", "group"])
join, describe, corr, hist, to_csv, to_json = map(_on_df, ["join", "describe", "corr", "hist", "to_csv", "to_json"])


# The skill


def run(**params):
    """One call of the skill."""
    try:
        return _answer(**params)
    except ValueError as error:
        # What is wrong with the call has no place in this file.
        raise ValueError(str(error)) from None


def _answer(
    action="describe", path=None, text=None, format="auto", delimiter="auto", header=True, table=None, save_as=None,
    columns=None, where=None, by=None, aggregates=None, descending=False, limit=None, bins=None, other=None, how="inner", to=None,
):
    if path is not None or text is not None:
        if action != "export" or text is not None or to is not None:
            load(path, text, save_as if action == "load" else table, format, delimiter, header)
    elif action == "load":
        load()
    if action == "tables":
        return [{"table": name, "rows": len(kept), "columns": kept.columns, "current": kept is df} for name, kept in tables.items()]
    data = _at_hand(table)
    if where is not None:
        data = data.where(where)
    chosen = _names([columns]) if columns else []
    if action in _ANSWERS:
        return _ANSWERS[action](data, chosen, bins)
    if action == "group":
        data = data.group(_needed(by, "by, the columns whose values make the groups"), *_names([aggregates or "count"]))
    elif action == "join":
        data = data.join(_at_hand(_needed(other, "other, the name of the second table")), _needed(by, "by, the columns in both"), how)
    elif action == "filter":
        _needed(where, "where, a condition such as `amount > 100`")
    elif action == "sort":
        data = data.sort(_needed(by, "by, the columns to sort by"), descending=descending)
    if chosen and action != "load":
        data = data.select(*chosen)
    if save_as is not None and action != "load":
        keep(data, save_as)
    if action == "load":
        return {"table": data.name, "rows": len(data), "columns": [{"name": key, "type": data.types[key]} for key in data.columns]}
    if action == "export":
        return _exported(data, to, format)
    most = limit if limit is not None else 20
    return {"table": data.name, "rows": len(data), "data": data.head(most).rows, "cut": len(data) > most}


def _needed(value, what):
    if value is None or value == [] or value == "":
        raise ValueError(f"this action needs {what}")
    return value


def _correlated(data, chosen, _):
    return data.corr(*chosen) if len(chosen) == 2 else (data.select(*chosen) if chosen else data).corr()


def _histogram(data, chosen, bins):
    column = _needed(chosen, "columns, with the name of one")[0]
    data.hist(column, bins)
    return data.bins(column, bins)


_ANSWERS = {
    "describe": lambda data, chosen, _: data.describe(*chosen),
    "columns": lambda data, *_: [{"name": name, "type": data.types[name]} for name in data.columns],
    "correlate": _correlated,
    "histogram": _histogram,
}


def _exported(data, to, format):
    if format == "auto":
        format = "json" if (to or "").lower().endswith(".json") else "csv"
    text = data.to_json() + "\n" if format == "json" else data.to_csv()
    if to is None:
        return text
    skill.fs.write(to, text)
    return {"path": to, "rows": len(data), "format": format}
