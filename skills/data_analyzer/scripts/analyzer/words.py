"""Names and numbers of things, as people write and read them."""

import difflib
import re


def names(given):
    """Names from lists and from text with commas, in any mixture."""
    flat = []
    for item in given:
        flat.extend(names(item) if isinstance(item, (list, tuple)) else re.split(r"\s*,\s*(?![^()]*\))", item.strip()))
    return [name for name in flat if name]


def unique(name, taken):
    copy, result = 2, name
    while result in taken:
        result, copy = f"{name} ({copy})", copy + 1
    return result


def nearest(name, known):
    close = difflib.get_close_matches(str(name).casefold(), [key.casefold() for key in known], 1, 0.5)
    found = next((key for key in known if close and key.casefold() == close[0]), None)
    return f"; did you mean {found!r}?" if found else f"; it has {', '.join(map(repr, known)) or 'none'}"


def count(number, word):
    return f"{number} {word}{'' if number == 1 else 's'}"
