"""The difference of two JSON values, as a list of changes with their places."""

import json
from difflib import SequenceMatcher

import skill

# Aligning lists takes time by the product of their lengths; beyond this they are compared position by position.
LONGEST_ALIGNED = 1_000


# What was not given, since null is a value to compare like any other.
MISSING = object()


def run(
    left: object = MISSING,
    right: object = MISSING,
    left_path: str = None,
    right_path: str = None,
    ignore: list[str] = (),
):
    """Compare two JSON values and list what was added, removed and changed.

    The definition leaves the parameters to this signature, because a value may be of any type.

    Args:
        left: The first value: any JSON, or a string of JSON text; give this or left_path
        right: The second value: any JSON, or a string of JSON text; give this or right_path
        left_path: A JSON file below the working folder that holds the first value
        right_path: A JSON file below the working folder that holds the second value
        ignore: Names of object keys to leave out wherever they stand, such as timestamps
    """
    before = load("left", left, left_path)
    after = load("right", right, right_path)
    changes = list(compare("$", before, after, frozenset(ignore)))
    count = {kind: sum(change["change"] == kind for change in changes) for kind in ("added", "removed", "changed")}
    return {"equal": not changes, **count, "changes": changes}


def load(name, value, path):
    """A value as it was given, or read from the text of it; only text can say where it is wrong."""
    if (value is MISSING) == (path is None):
        raise ValueError(f"give either {name}, with JSON, or {name}_path, with the name of a file")
    text = value if path is None else skill.fs.read(path)
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply to compare") from None


def refuse(constant):
    raise ValueError(f"{constant} is not JSON: use null or a string instead")


def compare(place, before, after, ignore):
    if isinstance(before, dict) and isinstance(after, dict):
        yield from compare_objects(place, before, after, ignore)
    elif isinstance(before, list) and isinstance(after, list):
        yield from compare_lists(place, before, after, ignore)
    elif not equal_scalars(before, after):
        yield {"change": "changed", "path": place, "old": before, "new": after}


def equal_scalars(before, after):
    # Python takes True for 1; JSON does not. Numbers are equal by value: 1 is 1.0.
    return isinstance(before, bool) == isinstance(after, bool) and before == after


def compare_objects(place, before, after, ignore):
    for key, value in before.items():
        if key in ignore:
            continue
        if key in after:
            yield from compare(member(place, key), value, after[key], ignore)
        else:
            yield {"change": "removed", "path": member(place, key), "old": value}
    for key, value in after.items():
        if key not in before and key not in ignore:
            yield {"change": "added", "path": member(place, key), "new": value}


def compare_lists(place, before, after, ignore):
    """What was removed has its index in the left list; what was added or changed, in the right one."""
    for i, i_end, j, j_end in blocks(before, after, ignore):
        paired = min(i_end - i, j_end - j)
        for step in range(paired):
            yield from compare(f"{place}[{j + step}]", before[i + step], after[j + step], ignore)
        for index in range(i + paired, i_end):
            yield {"change": "removed", "path": f"{place}[{index}]", "old": before[index]}
        for index in range(j + paired, j_end):
            yield {"change": "added", "path": f"{place}[{index}]", "new": after[index]}


def blocks(before, after, ignore):
    """The stretches in which two lists differ, so that one insertion is not a change of all that follows."""
    if max(len(before), len(after)) > LONGEST_ALIGNED:
        return [(0, len(before), 0, len(after))]
    matcher = SequenceMatcher(None, keys(before, ignore), keys(after, ignore), autojunk=False)
    return [block for tag, *block in matcher.get_opcodes() if tag != "equal"]


def keys(items, ignore):
    return [canonical(item, ignore) for item in items]


def canonical(value, ignore):
    """A key that two values share exactly where they are equal, and that can be hashed."""
    if isinstance(value, dict):
        kept = ((key, canonical(member, ignore)) for key, member in value.items() if key not in ignore)
        return "object", frozenset(kept)
    if isinstance(value, list):
        return "list", tuple(canonical(item, ignore) for item in value)
    return type(value) is bool, value


def member(place, key):
    """A JSONPath that the json-query skill takes back."""
    if key.isidentifier():
        return f"{place}.{key}"
    quoted = json.dumps(key, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"{place}['{quoted}']"
