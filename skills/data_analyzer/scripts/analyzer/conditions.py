"""Conditions over the columns of a table."""

import re


class Condition:
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
