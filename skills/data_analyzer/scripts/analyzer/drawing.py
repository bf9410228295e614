"""Tables and charts as text."""

from .reading import NUMBERS

_BLOCKS = " ▏▎▍▌▋▊▉█"
_WIDTH = 40


def written(cell):
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else cell


def drawn(table):
    """A table as text, numbers to the right."""
    cells = {name: [short(cell) for cell in table[name]] for name in table.columns}
    widths = {name: max(map(len, [name, *column]), default=0) for name, column in cells.items()}

    def row(texts):
        right = [table.types[name] in NUMBERS for name in widths]
        parts = [text.rjust(width) if r else text.ljust(width) for text, width, r in zip(texts, widths.values(), right)]
        return "  ".join(parts).rstrip()

    return "\n".join([row(widths), *(row(texts) for texts in zip(*cells.values()))])


def short(cell):
    text = f"{cell:.6g}" if isinstance(cell, float) else str(written(cell))
    return text if len(text) <= 30 else f"{text[:29]}…"


def chart(title, bins):
    """Bars of block characters."""
    labels = [f"{short(b['from'])} – {short(b['to'])}" if "from" in b else short(b["value"]) for b in bins]
    most = max((b["count"] for b in bins), default=0)
    width = max(map(len, labels), default=0)
    lines = [title]
    for label, b in zip(labels, bins):
        eighths = round(b["count"] / most * _WIDTH * 8) if most else 0
        bar = _BLOCKS[-1] * (eighths // 8) + _BLOCKS[eighths % 8].strip()
        lines.append(f"{label.rjust(width)} │{bar} {b['count']}")
    return "\n".join(lines)
