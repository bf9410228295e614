"""Snapshots of a namespace: what can be pickled, and what pickle leaves out: functions and classes of the session.

Functions, closures and classes that the session defined are written as what they are now, byte code and attributes, and not made
anew from their source: that would run decorators and class bodies a second time, and lose what was set on them since. Their source goes
along, for tracebacks and `inspect`. Modules go by name, and so does all that is found in a module by its name.

A snapshot is two pickles: the variables with the entries of skills, in one, so that what they share stays shared; and the sources.
`names` is the namespace. Where not all can be written, each variable is tried by itself, and what fails is left out and named.
"""

import builtins
import copyreg
import enum
import functools
import gc
import importlib
import io
import marshal
import pickle
import sys
import types
import typing
from itertools import islice

_MAIN = ("__main__", "__skill__")
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_ABSENT = object()

# Objects that are what they are by being themselves.
_SINGLE = [("dataclasses", name) for name in
           ("MISSING", "KW_ONLY", "_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR", "_HAS_DEFAULT_FACTORY")]
_SINGLE += [("os", "environ"), ("random", "_inst")]
# Classes that are found under another name than theirs.
_SINGLE += [("types", name) for name, value in vars(types).items()
            if isinstance(value, type) and value.__module__ == "builtins" and not hasattr(builtins, value.__name__)]


def _is_named(module, name, value):
    """Whether a value is found under a name of a module that can be imported again."""
    if type(module) is not str or type(name) is not str or module in _MAIN:
        return False
    found = sys.modules.get(module)
    if found is None or (getattr(found, "__spec__", None) is None and module not in ("skill", __name__)):
        return False
    for part in name.split("."):
        found = getattr(found, part, _ABSENT)
        if found is _ABSENT:
            return False
    return found is value


class _Pickler(pickle.Pickler):
    def __init__(self, sink, names):
        super().__init__(sink, protocol=5)
        self.names = names
        self.files = set()
        self.plain = set()
        self.copies = {}
        single = [(module, name, getattr(sys.modules.get(module), name, None)) for module, name in _SINGLE]
        self.single = {id(value): (module, name) for module, name, value in single if value is not None}

    def reducer_override(self, value):
        kind = type(value)
        if id(value) in self.single:
            return _single, self.single[id(value)]
        if kind in self.plain:
            return NotImplemented
        if kind in _REDUCERS:
            return _REDUCERS[kind](self, value)
        if issubclass(kind, type):
            return self.of_class(value)
        if issubclass(kind, types.ModuleType):
            return self.of_module(value)
        if kind.__module__ == "skill" and not issubclass(kind, BaseException):
            return self.of_host(kind, value)
        reduce = copyreg.dispatch_table.get(kind)
        reduced = reduce(value) if reduce is not None else value.__reduce_ex__(5)
        if not isinstance(reduced, str):
            self.plain.add(kind)
        elif not _is_named(getattr(value, "__module__", None) or "builtins", reduced, value):
            raise pickle.PicklingError(f"cannot pickle {kind.__name__!r} object")
        return reduced

    def of_function(self, function):
        if _is_named(function.__module__, function.__qualname__, function):
            return NotImplemented
        state = {name: getattr(function, name) for name in _OF_FUNCTION}
        made = (function.__code__, self.place(function.__globals__), function.__closure__)
        return _function, made, (state, function.__dict__), None, None, _fill_function

    def place(self, names):
        """The globals of a function: nothing for the namespace, a name for a module's, else a dict."""
        if names is self.names:
            return None
        module = names.get("__name__")
        if type(module) is str and getattr(sys.modules.get(module), "__dict__", None) is names:
            return module
        if id(names) not in self.copies:
            self.copies[id(names)] = {key: value for key, value in names.items() if key != "__builtins__"}, names
        return self.copies[id(names)][0]

    def of_code(self, code):
        self.files.add(code.co_filename)
        return _code, (marshal.dumps(code),)

    def of_cell(self, cell):
        try:
            return _cell, (), (cell.cell_contents,), None, None, _fill_cell
        except ValueError:
            return _cell, ()

    def of_class(self, made):
        if not made.__flags__ & _HEAP_TYPE or _is_named(made.__module__, made.__qualname__, made):
            return NotImplemented
        kind, own = type(made), vars(made)
        space = {name: own[name] for name in _OF_CLASS if name in own}
        space["__qualname__"] = made.__qualname__
        if issubclass(kind, enum.EnumMeta):
            members = {name: member._value_ for name, member in made._member_map_.items()}
            space.update((name, own[name]) for name in ("__init__", "_missing_") if name in own)
            rest = {name: value for name, value in own.items()
                    if name not in members and name not in space and _is_written(value, self.names)}
            return _enum, (kind, made.__name__, made.__bases__, space, members), rest, None, None, _fill_class
        rest = {name: value for name, value in own.items() if name not in space and not _is_made(name, value, made)}
        return _class, (kind, made.__name__, made.__bases__, space), rest, None, None, _fill_class

    def of_module(self, module):
        if vars(module) is self.names:
            return _main, ()
        name = module.__name__
        if sys.modules.get(name) is module and getattr(module, "__spec__", None) is not None:
            return _module, (name,)
        raise pickle.PicklingError(f"the module {name} cannot be imported again")

    def of_host(self, kind, value):
        name = kind.__name__
        if name == "skill":
            return _host, ("",)
        if name in ("Namespace", "HostFunction"):
            return _host, (repr(value).removeprefix("<function ").removeprefix("<").removesuffix(">"),)
        if name == "Output":
            return _single, ("sys", value.name.strip("<>"))
        if name == "Carried":
            return _nothing, ()
        raise TypeError(f"cannot pickle {name!r} object")


def _is_made(name, value, owner):
    """Whether Python itself makes an attribute of a class."""
    if name in ("__dict__", "__weakref__"):
        return type(value) is types.GetSetDescriptorType
    slot = type(value) is types.MemberDescriptorType and value.__objclass__ is owner
    return slot or name in ("_abc_impl", "__slots__")


def _is_written(value, names):
    """Whether somebody wrote an attribute of an enumeration."""
    if type(value) in (classmethod, staticmethod):
        value = value.__func__
    if type(value) is property:
        value = value.fget
    return getattr(value, "__globals__", None) is names


_OF_FUNCTION = ("__name__", "__qualname__", "__module__", "__defaults__", "__kwdefaults__", "__annotations__", "__doc__")
_OF_CLASS = ("__module__", "__slots__", "__orig_bases__")


def _of_type_var(pickler, value):
    if _is_named(value.__module__, value.__name__, value):
        return NotImplemented
    return _type_var, (value.__name__, value.__constraints__, value.__bound__, value.__covariant__,
                       value.__contravariant__, value.__module__)


def _of_cache(pickler, value):
    if _is_named(getattr(value, "__module__", None), getattr(value, "__qualname__", None), value):
        return NotImplemented
    parameters = value.cache_parameters()
    return _cache, (value.__wrapped__, parameters["maxsize"], parameters["typed"])


_REDUCERS = {
    types.FunctionType: _Pickler.of_function,
    types.CodeType: _Pickler.of_code,
    types.CellType: _Pickler.of_cell,
    types.ModuleType: _Pickler.of_module,
    types.MappingProxyType: lambda pickler, value: (_proxy, (dict(value),)),
    property: lambda pickler, value: (property, (value.fget, value.fset, value.fdel, value.__doc__)),
    classmethod: lambda pickler, value: (classmethod, (value.__func__,)),
    staticmethod: lambda pickler, value: (staticmethod, (value.__func__,)),
    functools.cached_property: lambda pickler, value: (_cached_property, (value.func, value.attrname)),
    functools._lru_cache_wrapper: _of_cache,
    typing.TypeVar: _of_type_var,
}


# What makes things again.

def _single(module, name):
    return getattr(importlib.import_module(module), name)


def _nothing():
    return None


def _main():
    return sys.modules["__main__"]


def _module(name):
    return importlib.import_module(name)


def _host(path):
    found = sys.modules["skill"]
    for name in path.split(".")[1:]:
        found = getattr(found, name)
    return found


def _code(code):
    return marshal.loads(code)


def _cell():
    return types.CellType()


def _fill_cell(cell, contents):
    cell.cell_contents = contents[0]


def _function(code, place, closure):
    names = place
    if type(place) is not dict:
        names = vars(_main() if place is None else importlib.import_module(place))
    return types.FunctionType(code, names, None, None, closure)


def _fill_function(function, state):
    for name, value in state[0].items():
        setattr(function, name, value)
    function.__dict__.update(state[1])


def _class(kind, name, bases, space):
    return types.new_class(name, bases, {"metaclass": kind}, lambda names: names.update(space))


def _enum(kind, name, bases, space, members):
    names = kind.__prepare__(name, bases)
    for key, value in (*space.items(), *members.items()):
        names[key] = value
    return kind.__new__(kind, name, bases, names)


def _fill_class(made, rest):
    for name, value in rest.items():
        type.__setattr__(made, name, value)


def _proxy(values):
    return types.MappingProxyType(values)


def _cached_property(function, name):
    made = functools.cached_property(function)
    made.attrname = name
    return made


def _cache(function, maxsize, typed):
    return functools.lru_cache(maxsize, typed)(function)


def _type_var(name, constraints, bound, covariant, contravariant, module):
    made = typing.TypeVar(name, *constraints, bound=bound, covariant=covariant, contravariant=contravariant)
    made.__module__ = module
    return made


_MAKERS = {made.__name__: made for made in (
    _single, _nothing, _main, _module, _host, _code, _cell, _fill_cell, _function, _fill_function, _class, _enum, _fill_class,
    _proxy, _cached_property, _cache, _type_var)}
_THIS = types.ModuleType(__name__)
vars(_THIS).update(_MAKERS)


def _in_sight(work):
    """Has `pickle` find the functions above while it works."""
    @functools.wraps(work)
    def wrapped(*arguments):
        sys.modules[__name__] = _THIS
        try:
            return work(*arguments)
        finally:
            sys.modules.pop(__name__, None)
    return wrapped


# Writing.

class _Void:
    write = staticmethod(len)


def _dump(value, names, sink):
    pickler = _Pickler(sink, names)
    pickler.dump(value)
    return pickler.files


def _failure(value, names):
    """The exception that pickling a value raises, or none. A stop goes on."""
    try:
        _dump(value, names, _Void)
    except Stop:
        raise
    except BaseException as error:
        return error
    return None


def _parts(value):
    if isinstance(value, dict):
        return [(f"[{key!r}]" if type(key) in (str, int) else "[…]", part) for key, part in islice(value.items(), 1000)]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", part) for index, part in enumerate(islice(value, 1000))]
    if isinstance(value, types.FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or ())
        return [(f" closes over {name}", cell.cell_contents) for name, cell in cells if cell != types.CellType()]
    own = getattr(value, "__dict__", None)
    if not isinstance(own, (dict, types.MappingProxyType)):
        return []
    return [(f".{name}", part) for name, part in islice(own.items(), 1000) if name not in ("__dict__", "__weakref__")]


def _why(name, value, error, names):
    """Why a variable could not be written: the smallest part of it that cannot."""
    path = name
    for _ in range(6):
        for label, part in _parts(value):
            if part is value:
                continue
            found = _failure(part, names)
            if found is not None:
                path, value, error = path + label, part, found
                break
        else:
            break
    text = "it is nested too deeply" if isinstance(error, RecursionError) else str(error) or type(error).__name__
    return text if path == name else f"{path}: {text}"


@_in_sight
def snapshot(names, is_own, first, lines, bodies, sink):
    """Writes the namespace to a sink; gives what is left out, and why."""
    wanted = {name: value for name, value in names.items() if name == "_" or is_own(name, names, first)}
    lost = []
    try:
        files = _dump((wanted, bodies), names, sink)
    except Stop:
        raise
    except BaseException:
        sink.clear()
        for name, value in list(wanted.items()):
            error = _failure(value, names)
            if error is not None:
                del wanted[name]
                if name != "_":
                    lost.append((name, _why(name, value, error, names)))
        bodies = [body for body in bodies if _failure(body, names) is None]
        files = _dump((wanted, bodies), names, sink)
    for _, _, entry in bodies:
        files.add(getattr(getattr(entry, "__code__", None), "co_filename", None))
    known = [(file, "".join(entry[2])) for file, entry in lines.items() if file in files]
    pickle.Pickler(sink, protocol=5).dump(known)
    return sorted(lost)


# Reading.

class _MissingKind(type):
    """A class that takes the place of one that is not there any more, and of its instances."""

    def __call__(cls, *arguments, **named):
        return object.__new__(cls)

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


def _take(self, *arguments, **named):
    return self


def _missing(error):
    text = str(error) or type(error).__name__
    names = ("__setstate__", "__setitem__", "__call__", "__setattr__", "append", "extend", "add", "update")
    space = {"why": text, "__new__": lambda cls, *arguments, **named: object.__new__(cls)}
    return _MissingKind("Missing", (), {**dict.fromkeys(names, _take), **space})


def _tolerant(make):
    def made(*arguments):
        try:
            return make(*arguments)
        except Exception as error:
            return _missing(error)
    return made


class _Unpickler(pickle.Unpickler):
    tolerant = False

    def find_class(self, module, name):
        if module == __name__:
            return _tolerant(_MAKERS[name]) if self.tolerant else _MAKERS[name]
        if not self.tolerant:
            return super().find_class(module, name)
        try:
            return super().find_class(module, name)
        except Exception as error:
            return _missing(error)


def _absence(value, names):
    """Why a part of a value is missing; `None` where all is there."""
    seen, todo = set(), [value]
    while todo:
        part = todo.pop()
        if id(part) in seen or part is names or isinstance(part, types.ModuleType):
            continue
        seen.add(id(part))
        for kind in (type(part), part):
            if type(kind) is _MissingKind:
                return kind.why
        if isinstance(part, type) and (not part.__flags__ & _HEAP_TYPE or _is_named(part.__module__, part.__qualname__, part)):
            continue
        todo.extend(gc.get_referents(part))
    return None


@_in_sight
def restore(names, data):
    """Fills the namespace; gives what is missing, the entries of skills, and the sources."""
    unpickler = _Unpickler(file := io.BytesIO(data))
    try:
        found, bodies = unpickler.load()
        lost = []
    except (ImportError, AttributeError, TypeError, ValueError, pickle.UnpicklingError):
        unpickler = _Unpickler(file := io.BytesIO(data))
        unpickler.tolerant = True
        found, bodies = unpickler.load()
        lost = [(name, why) for name in found if (why := _absence(found[name], names)) is not None]
        for name, _ in lost:
            del found[name]
        bodies = [body for body in bodies if _absence(body, names) is None]
    names.update(found)
    return sorted((name, why) for name, why in lost if name != "_"), bodies, pickle.Unpickler(file).load()
