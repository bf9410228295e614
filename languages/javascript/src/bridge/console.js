// ---- console ----------------------------------------------------------------------------------------------------

const LONGEST = 100000;

// How a value is shown by console.log: like a literal, cut at a depth and a length.
function inspect(value, depth) {
  const open = list();
  let budget = LONGEST;
  const show = (value, depth) => {
    if (budget <= 0) return "…";
    const text = showOne(value, depth);
    budget -= text.length;
    return text;
  };
  const showOne = (value, depth) => {
    switch (typeof value) {
      case "string": return `'${clip(value, 10000)}'`;
      case "bigint": return value > WIDEST || value < -WIDEST ? "[BigInt]" : `${bigintText(value)}n`;
      case "symbol": return symbolText(value);
      case "function": return functionName(value);
      case "number": return value === 0 && 1 / value < 0 ? "-0" : `${value}`;
      case "boolean": case "undefined": return `${value}`;
    }
    if (value === null) return "null";
    for (let i = 0; i < open.length; i++) if (open[i] === value) return "[Circular]";
    const kind = isArray(value) ? "array" : brand(value);
    if (kind === "error") {
      const { name, message } = facts(value);
      return message ? `${name}: ${message}` : name;
    }
    if (kind === "date" || kind === "regexp") return summary(value, kind);
    if (depth <= 0) return kind === "array" ? "[Array]" : "[Object]";
    open[open.length++] = value;
    const out = showMembers(value, kind, depth - 1);
    open.length--;
    return out;
  };
  const joined = (before, parts, after) => {
    let out = "";
    for (let i = 0; i < parts.length; i++) out += (i ? ", " : "") + parts[i];
    return parts.length ? `${before} ${out} ${after}` : before + after;
  };
  const showMembers = (value, kind, depth) => {
    const parts = list();
    const add = (text) => { parts[parts.length++] = text; };
    const items = (source, length) => {
      for (let i = 0; i < length && i < 100; i++) add(show(source[i], depth));
      if (length > 100) add(`… ${length - 100} more`);
      return joined("[", parts, "]");
    };
    switch (kind) {
      case "array": return items(value, value.length);
      case "numbers": case "bytes": { const b = kind === "bytes" ? bytesOf(value) : value; return `${typedTag(b)} ${items(b, typedLength(b))}`; }
      case "set": setEach(value, (item) => { if (parts.length < 100) add(show(item, depth)); }); return joined("Set {", parts, "}");
      case "map": mapEach(value, (item, key) => { if (parts.length < 100) add(`${show(key, depth)} => ${show(item, depth)}`); }); return joined("Map {", parts, "}");
    }
    const names = keys(value);
    for (let i = 0; i < names.length && i < 100; i++) {
      const found = getOwnPropertyDescriptor(value, names[i]);
      const shown = found === undefined ? "undefined" : "value" in found ? show(found.value, depth) : "[Getter]";
      add(`${plainName(names[i]) ? names[i] : `'${clip(names[i], 200)}'`}: ${shown}`);
    }
    if (names.length > 100) add(`… ${names.length - 100} more`);
    const name = kind === undefined ? className(value) : kind;
    return joined(name ? `${name} {` : "{", parts, "}");
  };
  return show(value, depth);
}

function plainName(name) {
  if (name.length === 0) return false;
  for (let i = 0; i < name.length; i++) {
    const c = charCode(name, i);
    const letter = (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95 || c === 36;
    if (!letter && !(i > 0 && c >= 48 && c <= 57)) return false;
  }
  return true;
}

function className(value) {
  const prototype = getPrototypeOf(value);
  if (prototype === objectPrototype || prototype === null) return "";
  try {
    const found = getOwnPropertyDescriptor(prototype, "constructor");
    const name = found && typeof found.value === "function" ? getOwnPropertyDescriptor(found.value, "name") : undefined;
    return name && typeof name.value === "string" ? clip(name.value, 100) : "";
  } catch { return ""; }
}

let indent = "";
function format(values) {
  let out = "", from = 0;
  if (values.length > 1 && typeof values[0] === "string") {
    const pattern = values[0];
    let used = 1, start = 0;
    for (let i = 0; i + 1 < pattern.length; i++) {
      if (pattern[i] !== "%") continue;
      const letter = pattern[i + 1];
      let shown;
      if (letter === "%") shown = "%";
      else if (used < values.length) {
        const value = values[used];
        if (letter === "s") shown = typeof value === "string" ? value : inspect(value, 1);
        else if (letter === "d" || letter === "f") shown = typeof value === "object" ? "NaN" : `${toNumber(value)}`;
        else if (letter === "i") shown = typeof value === "object" ? "NaN" : `${Math_trunc(toNumber(value))}`;
        else if (letter === "o" || letter === "O" || letter === "j") shown = inspect(value, 4);
        else if (letter === "c") shown = "";
        if (shown !== undefined) used++;
      }
      if (shown === undefined) continue;
      out += slice(pattern, start, i) + shown;
      i++;
      start = i + 1;
    }
    out += slice(pattern, start);
    from = used;
  }
  for (let i = from; i < values.length; i++) {
    const value = values[i];
    out += (i > 0 ? " " : "") + (typeof value === "string" ? value : inspect(value, 3));
  }
  return `${indent}${out}\n`;
}
const Math_trunc = Math.trunc;

const writer = (stream) => (...values) => { print(stream, format(values)); };
const consoleMethods = {
  log: writer(1), info: writer(1), debug: writer(1), dir: (value) => { print(1, format([value])); }, table: writer(1),
  error: writer(2), warn: writer(2), trace: writer(2),
  assert: (condition, ...values) => { if (!condition) print(2, format(values.length ? ["Assertion failed:", ...values] : ["Assertion failed"])); },
  group: (...values) => { if (values.length) print(1, format(values)); if (indent.length < 40) indent += "  "; },
  groupEnd: () => { indent = slice(indent, 2); },
};

