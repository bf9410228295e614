"""A table: columns that are filtered, sorted, grouped, joined and described."""

import csv
import io
import json
import math
import statistics
from collections import Counter

from .conditions import Condition
from .drawing import chart, drawn, written
from .figures import aggregate, mean, quartiles
from .reading import NUMBERS, type_of
from .words import count, names, nearest, unique


class Table:
    """Columns of equal length, each with a name and a type: int, float, bool, date, text or missing."""

    def __init__(self, columns, types=None, name="table"):
        self.name = name
        self._columns = dict(columns)
        self.types = dict(types) if types else {key: type_of(cells) for key, cells in self._columns.items()}
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
        raise AttributeError(f"{self.name!r} has no column {name!r}{nearest(name, self._columns)}")

    def __repr__(self):
        return f"{self.name}: {count(len(self), 'row')}, {count(len(self._columns), 'column')}\n{drawn(self.head(10))}"

    def find(self, column):
        """The column of a name; case does not count where only one differs by it."""
        if column in self._columns:
            return column
        same = [name for name in self._columns if name.casefold() == str(column).casefold()]
        if len(same) == 1:
            return same[0]
        raise ValueError(f"{self.name!r} has no column {column!r}{nearest(column, self._columns)}")

    def numeric(self, column):
        """The numbers of a column, without what is missing."""
        column = self.find(column)
        if self.types[column] not in NUMBERS:
            raise ValueError(f"{column!r} holds {self.types[column]}, not numbers")
        return [cell for cell in self._columns[column] if cell is not None]

    def take(self, indexes):
        """The rows at these places."""
        picked = {name: [cells[index] for index in indexes] for name, cells in self._columns.items()}
        return Table(picked, self.types, self.name)

    def head(self, n=5):
        return self.take(range(min(n, len(self))))

    def select(self, *columns):
        wanted = [self.find(column) for column in names(columns)]
        return Table({name: self._columns[name] for name in wanted}, {name: self.types[name] for name in wanted}, self.name)

    def where(self, condition):
        """The rows that a condition holds for: `amount > 100 and region in ('N', 'S')`."""
        holds = Condition(condition, self).parsed
        return self.take([index for index in range(len(self)) if holds(index)])

    def sort(self, *columns, descending=False):
        """Sorted by columns; what is missing comes last."""
        order = list(range(len(self)))
        for column in reversed(names(columns)):
            cells = self[column]
            present = [index for index in order if cells[index] is not None]
            absent = [index for index in order if cells[index] is None]
            order = sorted(present, key=lambda index: cells[index], reverse=descending) + absent
        return self.take(order)

    def group(self, by, *aggregates):
        """One row for each value of `by`, with aggregates such as `sum(amount)` and `mean(price) as price`."""
        by = [self.find(column) for column in names([by])]
        wanted = [aggregate(text, self) for text in names(aggregates or ["count"])]
        groups = {}
        for index, key in enumerate(zip(*(self._columns[column] for column in by))):
            groups.setdefault(key, []).append(index)
        keys = sorted(groups, key=lambda key: [(cell is None, cell if cell is not None else 0) for cell in key])
        columns = {column: [key[place] for key in keys] for place, column in enumerate(by)}
        for name, function, column in wanted:
            cells = self._columns[column] if column else None
            columns[unique(name, columns)] = [
                function([cells[index] for index in groups[key] if cells[index] is not None] if cells else groups[key])
                for key in keys
            ]
        return Table(columns, name=f"{self.name} by {', '.join(by)}")

    def join(self, other, on, how="inner"):
        """Each row with the rows of another table that have the same values in the columns `on`."""
        if how not in ("inner", "left"):
            raise ValueError(f"a join is inner or left, not {how!r}")
        mine, theirs = [[table.find(column) for column in names([on])] for table in (self, other)]
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
                columns[unique(name, columns)] = [None if right is None else cells[right] for _, right in pairs]
        return Table(columns, name=f"{self.name} with {other.name}")

    def describe(self, *columns):
        """A row of figures for each column. Quartiles are inclusive, as in NumPy and Excel's QUARTILE.INC; std is a sample's."""
        wanted = names(columns) or self.columns
        return [self._describe(self.find(column)) for column in wanted]

    def _describe(self, column):
        cells = [cell for cell in self._columns[column] if cell is not None]
        kind = self.types[column]
        told = {"column": column, "type": kind, "count": len(cells), "missing": len(self) - len(cells)}
        if not cells:
            return told
        if kind in NUMBERS:
            q1, median, q3 = quartiles(cells)
            spread = statistics.stdev(cells) if len(cells) > 1 else None
            figures = {"mean": mean(cells), "std": spread, "min": min(cells), "q1": q1, "median": median, "q3": q3}
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
        wanted = [column for column in self.columns if self.types[column] in NUMBERS]
        wanted = [self.find(a)] if a is not None else wanted
        others = [column for column in self.columns if self.types[column] in NUMBERS]
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
        if self.types[column] not in NUMBERS:
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
        print(chart(self.find(column), self.bins(column, bins)))

    def to_csv(self, delimiter=","):
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([written(cell) for cell in row] for row in zip(*self._columns.values()))
        return out.getvalue()

    def to_json(self):
        return json.dumps(self.rows, ensure_ascii=False, indent=2)
