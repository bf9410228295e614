"""What a session that lives tells of its namespace: values as text, variables, completions, documentation.

`text` and `inspect` ask values for what they are, so they run code of the session's. `complete` runs none: it looks into
dicts, and never at what a property or `__getattr__` would give.
"""

import ast
import builtins
import functools
import inspect as _inspect
import keyword
import pkgutil
import re
import sys
import types
from itertools import islice

_SCALARS = {int, float, complex, bool, type(None), str, bytes}
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_BRACKETS = {list: "[]", tuple: "()", set: "{}", dict: "{}"}
_DEPTH = 20
_CHUNK = 256


class _Full(Exception):
    pass


def text(value, most):
    """The `repr` of a value, and whether it was cut, which is done before all of it is made where Python has made the value's type."""
    parts = []
    left = most

    def put(part):
        nonlocal left
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise _Full

    try:
        _write(value, put, most, ())
    except _Full:
        return "".join(parts)[:most], True
    return "".join(parts), False


def _write(value, put, most, outer):
    kind = type(value)
    if kind in _SCALARS:
        return _scalar(value, put, most)
    brackets = _BRACKETS.get(kind)
    if brackets is None or not value or len(outer) > _DEPTH:
        return put(_leaf(value))
    if id(value) in outer:
        return put(brackets[0] + "..." + brackets[1])
    outer = (*outer, id(value))
    put(brackets[0])
    if kind is dict:
        for index, (key, item) in enumerate(value.items()):
            if index:
                put(", ")
            _write(key, put, most, outer)
            put(": ")
            _write(item, put, most, outer)
    elif kind is set:
        for index, item in enumerate(value):
            if index:
                put(", ")
            _write(item, put, most, outer)
    else:
        _row(value, put, most, outer)
    put(",)" if kind is tuple and len(value) == 1 else brackets[1])


def _row(value, put, most, outer):
    for start in range(0, len(value), _CHUNK):
        chunk = value[start:start + _CHUNK]
        if start:
            put(", ")
        if set(map(type, chunk)) <= {int, float, bool, type(None)}:
            # All of it at once.
            try:
                put(repr(list(chunk))[1:-1])
                continue
            except ValueError:
                pass
        for index, item in enumerate(chunk):
            if index:
                put(", ")
            _write(item, put, most, outer)


def _scalar(value, put, most):
    if type(value) in (str, bytes) and len(value) > most:
        put(repr(value[:most]))
        raise _Full
    try:
        put(repr(value))
    except ValueError:
        # An integer with more digits than CPython writes.
        put(hex(value))


def _leaf(value):
    try:
        return _ADDRESS.sub("", repr(value))
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def brief(value, most=80):
    """The `repr` of a value in one line."""
    shown, cut = text(value, 4 * most)
    shown = " ".join(shown.split())
    return shown[:most - 1] + "…" if cut or len(shown) > most else shown


def picture(value, magic, most):
    """The bytes of the PNG file that a value is, or gives of itself; else `None`."""
    if type(value) is not bytes:
        give = getattr(type(value), "_repr_png_", None)
        if give is None:
            return None
        try:
            value = give(value)
        except Exception:
            return None
        if type(value) is tuple and value:
            value = value[0]
    return value if type(value) is bytes and value.startswith(magic) and len(value) <= most else None


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
              types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
              functools.partial, functools._lru_cache_wrapper, classmethod, staticmethod)


def _kind(value, other="value"):
    kind = type(value)
    if issubclass(kind, type):
        return "class"
    if issubclass(kind, types.ModuleType):
        return "module"
    if issubclass(kind, _FUNCTIONS) or (kind.__module__, kind.__name__) == ("skill", "HostFunction"):
        return "function"
    return other


def _size(value):
    try:
        return sys.getsizeof(value)
    except Exception:
        return None


def is_own(name, names, first):
    """Whether a name of the namespace is the session's."""
    if type(name) is not str or name == "_" or (name.startswith("__") and name.endswith("__")) or name == "params":
        return False
    return name not in first or names[name] is not first[name]


def variables(names, first):
    own = sorted(name for name in names if is_own(name, names, first))
    return [(name, _kind(names[name]), type(names[name]).__name__, brief(names[name]), _size(names[name]))
            for name in own if name in names]


# What is behind a path, without running code.

_MISSING = object()
_dict_of_type = type.__dict__["__dict__"].__get__
_mro_of = type.__dict__["__mro__"].__get__
_dict_of_module = types.ModuleType.__dict__["__dict__"].__get__


def _own_dict(value):
    """The `__dict__` of an object, where it has a plain one."""
    if issubclass(type(value), types.ModuleType):
        found = _dict_of_module(value)
        return found if type(found) is dict else {}
    for kind in _mro_of(type(value)):
        slot = _dict_of_type(kind).get("__dict__")
        if slot is not None:
            if type(slot) is types.GetSetDescriptorType:
                found = slot.__get__(value)
                return found if type(found) is dict else {}
            return {}
    return {}


def _is_skill(value):
    return type(value).__module__ == "skill" and type(value).__name__ in ("skill", "Namespace")


def _attribute(value, name):
    if _is_skill(value):
        return getattr(value, name, _MISSING)
    if issubclass(type(value), type):
        for kind in _mro_of(value):
            found = _dict_of_type(kind).get(name, _MISSING)
            if found is not _MISSING:
                return _unbound(found, value)
        return _MISSING
    found = _own_dict(value).get(name, _MISSING)
    if found is not _MISSING:
        return found
    for kind in _mro_of(type(value)):
        found = _dict_of_type(kind).get(name, _MISSING)
        if found is not _MISSING:
            return _unbound(found, value)
    return _MISSING


def _unbound(found, owner):
    if type(found) in (classmethod, staticmethod):
        return found.__func__
    if type(found) is types.MemberDescriptorType and not issubclass(type(owner), type):
        try:
            return found.__get__(owner)
        except AttributeError:
            return _MISSING
    return found


def _attributes(value):
    """The names of what an object has, with what they stand for where that is known."""
    found = {}
    if _is_skill(value):
        return {name: getattr(value, name, None) for name in dir(value)}
    kinds = _mro_of(value) if issubclass(type(value), type) else _mro_of(type(value))
    for kind in reversed(kinds):
        found.update(_dict_of_type(kind))
    if not issubclass(type(value), type):
        found.update(_own_dict(value))
    return found


def _item(value, key):
    kind = type(value)
    if kind in (list, tuple) and type(key) is int:
        return value[key] if -len(value) <= key < len(value) else _MISSING
    if kind is dict and type(key) in (str, int):
        return next((item for known, item in value.items() if type(known) is type(key) and known == key), _MISSING)
    return _MISSING


def _resolve(node, names):
    kind = type(node)
    if kind is ast.Name:
        found = names.get(node.id, _MISSING)
        return vars(builtins).get(node.id, _MISSING) if found is _MISSING else found
    if kind is ast.Constant:
        return node.value
    if kind is ast.Attribute:
        owner = _resolve(node.value, names)
        return _MISSING if owner is _MISSING else _attribute(owner, node.attr)
    if kind is ast.Subscript:
        owner, key = _resolve(node.value, names), node.slice
        if type(key) is ast.UnaryOp and type(key.op) is ast.USub and type(key.operand) is ast.Constant:
            key = ast.Constant(-key.operand.value) if type(key.operand.value) is int else key
        if owner is not _MISSING and type(key) is ast.Constant:
            return _item(owner, key.value)
    return _MISSING


def _find(path, names):
    try:
        return _resolve(ast.parse(path.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _MISSING


# Completion.

_WORD = re.compile(r"[^\W\d]\w*\Z")
_IMPORT = re.compile(r"(?:^|;)\s*(?:import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*,\s*)*|from\s+)([\w.]*)\Z")
_FROM = re.compile(r"(?:^|;)\s*from\s+([\w.]+)\s+import\s+\(?(?:\s*\w+(?:\s+as\s+\w+)?\s*,)*\s*(\w*)\Z")
_QUOTED = re.compile(r"\[\s*(['\"])([^'\"\\\n]*)\Z")
_TOKEN = re.compile(r"#[^\n]*|[rbfuRBFU]{0,2}('''|\"\"\"|'|\")|\\.|.", re.S)


def _state(text):
    """What the end of a text is in: `code`, `comment` or `string`."""
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        at = token.end()
        if token[0].startswith("#"):
            if at == len(text):
                return "comment"
        elif quote := token[1]:
            long = len(quote) == 3
            while True:
                if at >= len(text):
                    return "string"
                if text[at] == "\\":
                    at += 2
                elif text.startswith(quote, at):
                    at += len(quote)
                    break
                elif text[at] == "\n" and not long:
                    break
                else:
                    at += 1
    return "code"


def _expression(text):
    """Where the expression begins that a text ends with: names, attributes and subscripts."""
    at = len(text)
    while at > 0:
        last = text[at - 1]
        if last == "]":
            depth, start = 0, at
            while start > 0:
                start -= 1
                depth += {"]": 1, "[": -1}.get(text[start], 0)
                if depth == 0:
                    break
            if depth:
                return at
            at = start
        elif last in "'\"" and text[:at - 1].rfind(last) >= 0:
            at = text.rfind(last, 0, at - 1)
            return at
        elif last.isalnum() or last == "_" or last == ".":
            at -= 1
        else:
            break
    return at


def _size_of(text):
    return len(text.encode("utf-8", "surrogatepass"))


def complete(text, names, first, folder, own):
    """How a text could go on: where the word begins, in bytes, and what it could be."""
    state = _state(text)
    if state == "comment":
        return _size_of(text), []
    if state == "string":
        return _keys(text, names)
    line = text.rsplit("\n", 1)[-1]
    if found := _FROM.search(line):
        return _answer(text, found[2], _members(found[1], folder))
    if found := _IMPORT.search(line):
        word = found[1].rpartition(".")[2]
        return _answer(text, word, _modules(found[1], folder, own))
    word = _WORD.search(text)
    word = word[0] if word else ""
    before = text[:len(text) - len(word)]
    if before.endswith("."):
        path = before[:-1]
        path = path[_expression(path):]
        owner = _find(path, names) if path else _MISSING
        if owner is _MISSING:
            return _size_of(before), []
        found = {name: _kind(value, "member") for name, value in _attributes(owner).items() if type(name) is str}
        return _answer(text, word, found)
    if not word and before.strip() and before[-1:].isalnum():
        return _size_of(before), []
    found = {name: "keyword" for name in (*keyword.kwlist, "match", "case")}
    found.update((name, _kind(value)) for name, value in vars(builtins).items())
    found.update((name, _kind(value)) for name, value in names.items() if type(name) is str)
    return _answer(text, word, found)


def _answer(text, word, found):
    start = _size_of(text[:len(text) - len(word)])
    hidden = not word.startswith("_")
    names = sorted(name for name in found if name.startswith(word) and not (hidden and name.startswith("_")))
    return start, [(name, found[name]) for name in names]


def _keys(text, names):
    found = _QUOTED.search(text)
    if found is None:
        return _size_of(text), []
    path = text[:found.start()]
    path = path[_expression(path):]
    owner = _find(path, names) if path else _MISSING
    keys = islice(owner, 10_000) if type(owner) is dict else ()
    plain = {key: "member" for key in keys if type(key) is str and not set(key) & set("'\"\\\n")}
    start, items = _answer(text, found[2], plain)
    if found[2]:
        return start, items
    return start, [(key, "member") for key in sorted(plain)]


def _modules(path, folder, own):
    package, dot, _ = path.rpartition(".")
    if dot:
        return {name: kind for name, kind in _members(package, folder).items() if kind == "module"}
    found = dict.fromkeys((*sys.stdlib_module_names, *sys.builtin_module_names, *(own or ()), "skill"), "module")
    places = [*([folder] if folder else []), *(place for place in sys.path if "-packages" in place)]
    found.update((module.name, "module") for module in islice(pkgutil.iter_modules(places), 10_000))
    return {name: kind for name, kind in found.items() if "." not in name}


def _members(name, folder):
    module = sys.modules.get(name)
    if module is None:
        return {}
    if _is_skill(module):
        return {name: _kind(value) for name, value in _attributes(module).items()}
    own = _own_dict(module)
    found = {name: _kind(value) for name, value in own.items() if type(name) is str}
    places = own.get("__path__")
    if type(places) is list:
        found.update((module.name, "module") for module in islice(pkgutil.iter_modules(places), 10_000))
    return found


# What there is to know about a value.

def inspect(path, names):
    """The value that a path leads to, how it is called, its documentation and its source; `None` where it leads nowhere."""
    parts = path.strip().split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    value = names.get(parts[0], _MISSING)
    value = vars(builtins).get(parts[0], _MISSING) if value is _MISSING else value
    for part in parts[1:]:
        if value is _MISSING:
            return None
        try:
            value = getattr(value, part)
        except AttributeError:
            return None
    return None if value is _MISSING else (value, _signature(value), _doc(value), _source(value))


def _signature(value):
    if not callable(value):
        return None
    try:
        return _ADDRESS.sub("", str(_inspect.signature(value)))
    except Exception:
        return None


def _doc(value):
    try:
        # That of its type says nothing about a value.
        if not callable(value) and not isinstance(value, types.ModuleType) and value.__doc__ == type(value).__doc__:
            return None
        doc = _inspect.getdoc(value)
    except Exception:
        return None
    return doc if type(doc) is str and doc else None


def _source(value):
    try:
        if isinstance(value, type):
            return _class_source(value)
        return _inspect.getsource(value)
    except Exception:
        return None


def _class_source(value):
    """The source of a class, which `inspect` does not find where its module has no file."""
    if value.__module__ not in ("__main__", "__skill__"):
        return _inspect.getsource(value)
    import linecache

    for file in reversed(list(linecache.cache)):
        source = "".join(linecache.getlines(file))
        if f"class {value.__name__}" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if type(node) is ast.ClassDef and node.name == value.__name__:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                return "".join(source.splitlines(keepends=True)[first - 1:node.end_lineno])
    return None
