"""What a script says of its own parameters, read from its syntax tree: nothing of it is executed."""

import ast
import re

NAMES = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "tuple": {"type": "array"},
    "set": {"type": "array", "uniqueItems": True},
    "frozenset": {"type": "array", "uniqueItems": True},
    "dict": {"type": "object"},
    "None": {"type": "null"},
    "bytes": {},
    "object": {},
    "Any": {},
}
ALIASES = {
    "List": "list", "Sequence": "list", "Iterable": "list", "Tuple": "tuple", "Set": "set", "FrozenSet": "frozenset",
    "Dict": "dict", "Mapping": "dict", "MutableMapping": "dict",
}


def name_of(node):
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Attribute):
        name = node.attr
    else:
        return None
    return ALIASES.get(name, name)


def type_names(schema):
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]


def either(schemas):
    """One schema for a union."""
    if any(not schema for schema in schemas):
        return {}
    flat = []
    for schema in schemas:
        for part in schema.get("anyOf", [schema]):
            if part not in flat:
                flat.append(part)
    if len(flat) == 1:
        return flat[0]
    if all(set(schema) == {"type"} for schema in flat):
        kinds = [kind for schema in flat for kind in type_names(schema)]
        return {"type": list(dict.fromkeys(kinds))}
    return {"anyOf": flat}


def items_of(node):
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def schema_of(node):
    """The JSON Schema of an annotation; an empty one for what JSON Schema does not know."""
    if node is None:
        return {}
    if isinstance(node, ast.Constant):
        if node.value is None:
            return {"type": "null"}
        if isinstance(node.value, str):
            try:
                return schema_of(ast.parse(node.value, mode="eval").body)
            except SyntaxError:
                return {}
        return {}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return either([schema_of(node.left), schema_of(node.right)])
    if isinstance(node, ast.Subscript):
        return subscripted(name_of(node.value), items_of(node.slice))
    return dict(NAMES.get(name_of(node), {}))


def subscripted(name, parts):
    if name == "Optional":
        return either([schema_of(parts[0]), {"type": "null"}])
    if name == "Union":
        return either([schema_of(part) for part in parts])
    if name == "Literal":
        values = [value for found, value in map(literal, parts) if found]
        return {"enum": values} if len(values) == len(parts) else {}
    if name == "Annotated":
        schema = schema_of(parts[0])
        for part in parts[1:]:
            found, text = literal(part)
            if found and isinstance(text, str):
                schema = {**schema, "description": text}
        return schema
    if name in ("Final", "Required", "NotRequired"):
        return schema_of(parts[0])
    schema = dict(NAMES.get(name, {}))
    if name in ("list", "set", "frozenset") or (
        name == "tuple" and len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is Ellipsis
    ):
        items = schema_of(parts[0])
        if items:
            schema["items"] = items
    elif name == "tuple":
        schema["prefixItems"] = [schema_of(part) for part in parts]
        schema["minItems"] = schema["maxItems"] = len(parts)
    elif name == "dict" and len(parts) == 2:
        values = schema_of(parts[1])
        if values:
            schema["additionalProperties"] = values
    return schema


def literal(node):
    """Whether an expression is a literal that JSON can hold, and its value."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False, None
    return is_json(value), value


def is_json(value):
    if isinstance(value, (list, tuple)):
        return all(map(is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json(item) for key, item in value.items())
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return value is None or isinstance(value, str)


def without_annotation(schema, default):
    """A schema for a parameter that has a default and no hint."""
    if schema or default is None:
        return schema
    return dict(NAMES.get(type(default).__name__, {}))


SECTION = re.compile(r"^(\s*)(Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments):\s*$")
OTHER = re.compile(r"^(\s*)(Returns?|Yields?|Raises|Examples?|Notes?|Attributes|See Also|References|Warnings?):\s*$")
GOOGLE = re.compile(r"^\s*\**(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
SPHINX = re.compile(r"^\s*:(?:param|parameter|arg|argument)\s+(?:[^:]*\s)?\**(\w+)\s*:\s*(.*)$")
NUMPY = re.compile(r"^\**(\w+)\s*(?::.*)?$")


def indent(line):
    return len(line) - len(line.lstrip())


def google(lines):
    found, section, name, level = {}, None, None, None
    for line in lines:
        start = SECTION.match(line)
        if start:
            section, name, level = len(start.group(1)), None, None
        elif section is None:
            continue
        elif not line.strip():
            name = None
        elif indent(line) <= section or OTHER.match(line):
            section = None
        elif (level is None or indent(line) <= level) and GOOGLE.match(line):
            name, text = GOOGLE.match(line).groups()
            level = indent(line)
            found[name] = text
        elif name:
            found[name] += " " + line.strip()
    return found


def sphinx(lines):
    found, name = {}, None
    for line in lines:
        match = SPHINX.match(line)
        if match:
            name, text = match.groups()
            found[name] = text
        elif not line.strip() or line.lstrip().startswith(":"):
            name = None
        elif name:
            found[name] += " " + line.strip()
    return found


def numpy(lines):
    found, names = {}, []
    for index, line in enumerate(lines):
        if line.strip() in ("Parameters", "Other Parameters") and set(lines[index + 1:index + 2][0:1] and
                                                                      lines[index + 1].strip()) == {"-"}:
            level = indent(line)
            for number, text in enumerate(lines[index + 2:], index + 2):
                follows = lines[number + 1].strip() if number + 1 < len(lines) else ""
                if text.strip() and set(follows) == {"-"}:
                    break
                if text.strip() and indent(text) <= level:
                    names = [part.strip().lstrip("*") for part in text.split(":")[0].split(",")]
                    for name in names:
                        found.setdefault(name, "")
                elif text.strip():
                    for name in names:
                        found[name] = (found[name] + " " + text.strip()).strip()
    return found


def documented(doc):
    """The first paragraph of a docstring, and its texts for parameters."""
    lines = doc.splitlines()
    texts = {}
    for style in (numpy, google, sphinx):
        texts.update({name: text.strip() for name, text in style(lines).items() if text.strip()})
    first = []
    for index, line in enumerate(lines):
        ruled = index + 1 < len(lines) and lines[index + 1].strip() and set(lines[index + 1].strip()) == {"-"}
        if not line.strip() or SECTION.match(line) or OTHER.match(line) or line.lstrip().startswith(":") or ruled:
            if first or line.strip():
                break
            continue
        first.append(line.strip())
    return " ".join(first) or None, texts


def parameters(function, texts):
    arguments = function.args
    plain = arguments.posonlyargs + arguments.args
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = list(zip(plain, defaults)) + list(zip(arguments.kwonlyargs, arguments.kw_defaults))
    found = []
    for argument, default in pairs:
        schema = schema_of(argument.annotation)
        has_default, value = literal(default) if default is not None else (False, None)
        if default is not None and argument.annotation is None and has_default:
            schema = without_annotation(schema, value)
        description = texts.get(argument.arg) or schema.pop("description", None)
        found.append({
            "name": argument.arg,
            "schema": schema,
            "required": default is None,
            "default": value if has_default else None,
            "has_default": has_default,
            "description": description,
        })
    return found


def signature(source, file):
    """The description and the parameters of a script, or None where it does not parse."""
    try:
        tree = ast.parse(source, file)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    module_doc = ast.get_docstring(tree)
    run = None
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == "run":
            run = statement
    description, texts = documented(module_doc) if module_doc else (None, {})
    found = []
    if run is not None:
        own, own_texts = documented(ast.get_docstring(run) or "")
        description = own or description
        texts.update(own_texts)
        found = parameters(run, texts)
    return {"description": description, "parameters": found}
