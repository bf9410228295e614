"""Tables that stay loaded: read CSV and JSON, describe, filter, group, join, correlate, draw.

In a session, `load("sales.csv")` makes the table `df`, and the functions work on it: `describe()`, `where("amount > 100")`,
`group("region", "sum(amount)")`, `sort("amount", descending=True)`, `corr()`, `hist("amount")`. Each table has them as methods too.
"""

import functools
import re

import skill
from analyzer.reading import of_csv, of_json
from analyzer.table import Table
from analyzer.words import names as _names, nearest as _nearest

# Found again where this file is evaluated a second time in one session.
tables = globals().get("tables", {})
df = globals().get("df")


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
    columns, types = of_json(text) if format == "json" else of_csv(text, delimiter, header)
    df = Table(columns, types, name or stem or "data")
    tables[df.name] = df
    return df


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
