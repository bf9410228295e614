"""A summary of log lines, whatever wrote them: plain text, JSON lines, logfmt, syslog, or a web server."""

import json
import re
from collections import Counter
from datetime import datetime, timezone

import skill

LEVELS = ("debug", "info", "warning", "error", "critical")
NAMES = {
    **{name: name for name in LEVELS},
    "trace": "debug",
    "verbose": "debug",
    "notice": "info",
    "information": "info",
    "warn": "warning",
    "err": "error",
    "severe": "error",
    "fatal": "critical",
    "crit": "critical",
    "alert": "critical",
    "emerg": "critical",
    "panic": "critical",
}
# Upper case anywhere near the start of a line, or any case where the form says that it is a level.
SHOUTED = re.compile(r"\b(" + "|".join(name.upper() for name in NAMES) + r")\b:?")
MARKED = re.compile(
    r"\[\s*(?P<bracket>{names})\s*\]|\b(?:level|severity)=\"?(?P<key>{names})\b\"?|^(?P<start>{names}):".format(
        names="|".join(NAMES)
    ),
    re.IGNORECASE,
)
HEAD = 120

TIMES = (
    re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?"),
    re.compile(r"\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}"),
    re.compile(r"^[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}"),
)
ACCESS = re.compile(r"\"([A-Z]+) ([^\s?]+)\S* HTTP/[\d.]+\" ((\d)\d\d)\b")
# A line that belongs to the entry before it: indented, or a part of a stack trace.
CONTINUATION = re.compile(r"\s|at \S|Caused by:|Traceback \(|\.\.\. \d+ more|[A-Za-z_.]+(?:Error|Exception)\b")

# From the most particular to the least: what one has masked, the next does not see.
VARIABLES = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\"[^\"]*\""), "<text>"),
    (re.compile(r"(?<!\w)'[^']*'(?!\w)"), "<text>"),
    (re.compile(r"(?<![\w<])[+-]?\d+(?:[.,:]\d+)*"), "<n>"),
)


def run(text=None, path=None, level="debug", top=5):
    if (text is None) == (path is None):
        raise ValueError("give either text, with the log lines, or path, with the name of a file")
    if path is not None:
        text = skill.fs.read(path)
    lines = text.removeprefix("\ufeff").splitlines()
    entries = read_entries(lines)
    levels = Counter(entry["level"] or "none" for entry in entries)
    times = [entry["time"] for entry in entries if entry["time"]]
    shown = [entry for entry in entries if rank(entry["level"]) >= rank(level)]
    errors = [entry for entry in entries if rank(entry["level"], 0) >= rank("error")]
    return {
        "lines": len(lines),
        "entries": len(entries),
        "levels": {name: levels[name] for name in (*LEVELS, "none") if levels[name]},
        "first": times[0] if times else None,
        "last": times[-1] if times else None,
        "seconds": span(times),
        "messages": frequent(shown, top),
        "errors": [{key: entry[key] for key in ("line", "time", "message")} for entry in errors[:top]],
    }


def rank(level, unknown=len(LEVELS)):
    return LEVELS.index(level) if level else unknown


def read_entries(lines):
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if entries and CONTINUATION.match(line) and not any(time.search(line[:HEAD]) for time in TIMES):
            continue
        entries.append({"line": number, **(read_json(line) or read_text(line))})
        if number % 10_000 == 0:
            skill.progress(number / len(lines), f"line {number} of {len(lines)}")
    return entries


def read_json(line):
    """An entry of a structured log, by the keys that the common libraries write."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None

    def pick(*names):
        return next((record[name] for name in names if record.get(name) not in (None, "")), None)

    level = pick("level", "severity", "levelname", "lvl", "log.level")
    time = pick("timestamp", "time", "ts", "@timestamp", "datetime")
    message = pick("message", "msg", "event", "error")
    return {
        "level": NAMES.get(str(level).lower()),
        "time": None if time is None else str(time),
        "message": line.strip() if message is None else str(message),
    }


def read_text(line):
    time = next((found for found in (form.search(line[:HEAD]) for form in TIMES) if found), None)
    shown = time[0] if time else None
    request = ACCESS.search(line)
    if request:
        method, target, status, family = request.groups()
        # Its own fault is an error of a web server, the client's a warning.
        level = {"5": "error", "4": "warning"}.get(family, "info")
        return {"level": level, "time": shown, "message": line, "form": f"{method} {mask(target)} {status}"}
    rest = (line if time is None else line[: time.start()] + line[time.end() :]).lstrip(" -|:")
    found = SHOUTED.search(rest[:HEAD]) or MARKED.search(rest[:HEAD])
    if not found:
        return {"level": None, "time": shown, "message": tidy(rest)}
    level = NAMES[found[found.lastgroup or 1].lower()]
    return {"level": level, "time": shown, "message": tidy(rest[: found.start()] + rest[found.end() :])}


def tidy(rest):
    """What is left of a line without its time and level, and without the marks that stood around them."""
    rest = re.sub(r"\[\s*\]|\(\s*\)", " ", rest)
    rest = re.sub(r"([-|:])(?:\s+[-|:])+(?=\s)", r"\1", rest)
    return re.sub(r"\s+", " ", rest).strip(" -:|")


def frequent(entries, top):
    """Messages by their form, the most frequent first; of equals, the one that came first."""
    groups = {}
    for entry in entries:
        form = entry.get("form") or mask(entry["message"])
        group = groups.setdefault((entry["level"], form), {**entry, "count": 0, "form": form})
        group["count"] += 1
    ranked = sorted(groups.values(), key=lambda group: -group["count"])
    return [
        {"count": group["count"], "level": group["level"], "message": group["form"], "first_line": group["line"]}
        for group in ranked[:top]
    ]


def mask(message):
    for variable, name in VARIABLES:
        message = variable.sub(name, message)
    return message


def span(times):
    """Seconds between the first and the last time, where both are written in full."""
    moments = [parse_time(time) for time in (times[:1] + times[-1:])]
    if len(moments) < 2 or None in moments:
        return None
    return (moments[1] - moments[0]).total_seconds()


def parse_time(text):
    try:
        if "/" in text:
            return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")
        moment = datetime.fromisoformat(text.replace(",", "."))
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except ValueError:
        return None
