// ---- what a value is --------------------------------------------------------------------------------------------

const typedBuffer = uncurry(getOwnPropertyDescriptor(getPrototypeOf(global.Uint8Array.prototype), "buffer").get);
const typedOffset = uncurry(getOwnPropertyDescriptor(getPrototypeOf(global.Uint8Array.prototype), "byteOffset").get);
const numberOf = uncurry(global.Number.prototype.valueOf);
const stringOf = uncurry(global.String.prototype.valueOf);
const booleanOf = uncurry(global.Boolean.prototype.valueOf);
const symbolOf = uncurry(global.Symbol.prototype.valueOf);
const bigintOf = uncurry(global.BigInt.prototype.valueOf);
const replaced = uncurry(global.String.prototype.replaceAll);
const padStart = uncurry(global.String.prototype.padStart);
const padEnd = uncurry(global.String.prototype.padEnd);
const hasText = uncurry(global.String.prototype.includes);
const { sqrt, max, min, round, floor } = global.Math;
const { weakSetHas, weakRefOf } = {
  weakSetHas: uncurry(global.WeakSet.prototype.has), weakRefOf: uncurry(global.WeakRef.prototype.deref),
};
const prober = {};

// What to ask of a value that has one of these prototypes; it throws where the value is nothing of the kind.
const probes = new global.WeakMap();
function probe(name, kind, ask) { if (global[name]) weakSet(probes, global[name].prototype, { __proto__: null, kind, ask }); }
probe("Map", "map", mapSize);
probe("Set", "set", setSize);
probe("Date", "date", dateTime);
probe("RegExp", "regexp", regexpFlagsOf);
probe("ArrayBuffer", "buffer", bufferLength);
probe("DataView", "view", viewLength);
probe("WeakMap", "weakmap", (value) => weakHas(value, prober));
probe("WeakSet", "weakset", (value) => weakSetHas(value, prober));
probe("WeakRef", "weakref", weakRefOf);
probe("Number", "number", numberOf);
probe("String", "string", stringOf);
probe("Boolean", "boolean", booleanOf);
probe("Symbol", "symbol", symbolOf);
probe("BigInt", "bigint", bigintOf);
weakSet(probes, getPrototypeOf(function* () {}).prototype, { __proto__: null, kind: "generator", ask: () => 0 });
weakSet(probes, getPrototypeOf(async function* () {}).prototype, { __proto__: null, kind: "generator", ask: () => 0 });
for (const iterator of [[][Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ""[Symbol.iterator](), "".matchAll(/x/g)]) {
  weakSet(probes, getPrototypeOf(iterator), { __proto__: null, kind: "iterator", ask: () => 0 });
}
// The keys of an object. Those of a long list are its places, and as many texts: where it holds more than that, nobody looks.
const LONG = 100000;
function keysOf(value, kind) {
  if (kind === "typed" && typedLength(value) > LONG) return list();
  if (kind === "array" && isLongAndFull(value)) return list();
  return ownKeys(value);
}
function isLongAndFull(value) {
  const length = value.length;
  if (length <= LONG) return false;
  let there = 0;
  for (let i = 0; i < 64; i++) if (getOwnPropertyDescriptor(value, floor((length - 1) * i / 63)) !== undefined) there++;
  return there > 32;
}
function regexpFlagsOf(value) { return regexpSource(value); }

// The kind of an object, found without running anything of the script's.
function kindOf(value) {
  const what = nature(value);
  if (what === 1) return "proxy";
  if (what >= 2) return "promise";
  if (typeof value === "function") return "function";
  if (isArray(value)) return "array";
  if (isError(value)) return "error";
  if (typedTag(value) !== undefined) return "typed";
  let prototype = getPrototypeOf(value);
  for (let i = 0; prototype !== null && i < 1000 && nature(prototype) !== 1; i++) {
    if (prototype === objectPrototype) return "object";
    const known = weakGet(probes, prototype);
    if (known !== undefined) {
      try { known.ask(value); return known.kind; } catch { return "object"; }
    }
    prototype = getPrototypeOf(prototype);
  }
  return "object";
}

// The name of the constructor, without running a getter; empty where there is none.
function constructorName(value) {
  let prototype = value;
  for (let i = 0; prototype !== null && i < 1000; i++) {
    if (nature(prototype) === 1) return "";
    const found = getOwnPropertyDescriptor(prototype, "constructor");
    if (found !== undefined && typeof found.value === "function" && nature(found.value) !== 1) {
      const name = getOwnPropertyDescriptor(found.value, "name");
      if (name !== undefined && typeof name.value === "string" && name.value !== "") return clip(name.value, 100);
    }
    prototype = getPrototypeOf(prototype);
  }
  return "";
}

function typeName(value) {
  if (value === null) return "null";
  if (typeof value !== "object" && typeof value !== "function") return typeof value;
  if (nature(value) === 1) return "Proxy";
  return constructorName(value) || (getPrototypeOf(value) === null ? "[Object: null prototype]" : "Object");
}

// ---- how it is shown --------------------------------------------------------------------------------------------

const WIDTH = 80, INNER = 72;
const MANY = 100;
const CONTROL = ["\\x00", "\\x01", "\\x02", "\\x03", "\\x04", "\\x05", "\\x06", "\\x07", "\\b", "\\t", "\\n", "\\x0B", "\\f", "\\r"];

function quoted(text) {
  const mark = !hasText(text, "'") ? "'" : !hasText(text, '"') ? '"' : !hasText(text, "`") ? "`" : "'";
  let out = "", from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = charCode(text, i);
    let put;
    if (c < 32) put = c < CONTROL.length ? CONTROL[c] : `\\x1${"0123456789ABCDEF"[c & 15]}`;
    else if (c === 92) put = "\\\\";
    else if (text[i] === mark) put = `\\${mark}`;
    else continue;
    out += slice(text, from, i) + put;
    from = i + 1;
  }
  return mark + (from === 0 ? text : out + slice(text, from)) + mark;
}

// Shows a value as Node's inspector does. `how`: `line` for one line, `most` characters, `depth` of nesting.
// Nothing of the script's runs: no getter is called, and a proxy is only named.
function display(root, how) {
  const most = how.most === undefined ? 262144 : how.most;
  const deepest = how.depth === undefined ? 2 : how.depth;
  const openOnes = list();
  let cyclic, left = most * 2, cut = false;
  const push = (to, text) => { to[to.length++] = text; };

  const primitive = (value, nested) => {
    switch (typeof value) {
      case "string": {
        const shown = value.length > 10000 ? `${quoted(slice(value, 0, 10000))}... ${value.length - 10000} more characters` : quoted(value);
        if (value.length > 10000) cut = true;
        return nested || value.length <= most ? shown : clip(shown, most);
      }
      case "bigint": return value > WIDEST || value < -WIDEST ? "[BigInt]" : `${bigintText(value)}n`;
      case "symbol": return symbolText(value);
      case "number": return value === 0 && 1 / value < 0 ? "-0" : `${value}`;
    }
    return `${value}`;
  };

  // Gives the text, and how many levels it holds.
  const show = (value, depth, indent) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) {
      const text = primitive(value, true);
      left -= text.length;
      return { __proto__: null, text, levels: 0 };
    }
    if (left <= 0) { cut = true; return { __proto__: null, text: "…", levels: 0 }; }
    for (let i = 0; i < openOnes.length; i++) {
      if (openOnes[i] !== value) continue;
      if (cyclic === undefined) cyclic = list();
      let at = 0;
      while (at < cyclic.length && cyclic[at] !== value) at++;
      if (at === cyclic.length) push(cyclic, value);
      return { __proto__: null, text: `[Circular *${at + 1}]`, levels: 0 };
    }
    const kind = kindOf(value);
    openOnes[openOnes.length++] = value;
    let out;
    try { out = object(value, kind, depth, indent); } finally { openOnes.length--; }
    if (cyclic !== undefined) {
      for (let i = 0; i < cyclic.length; i++) if (cyclic[i] === value) out.text = `<ref *${i + 1}> ${out.text}`;
    }
    left -= min(out.text.length, 200);
    return out;
  };

  const member = (value, key, depth, indent, levels) => {
    const found = getOwnPropertyDescriptor(value, key);
    let text;
    if (found === undefined) text = "undefined";
    else if ("value" in found) {
      const inner = show(found.value, depth, indent + 2);
      text = inner.text;
      levels.most = max(levels.most, inner.levels);
    } else text = found.get === undefined ? "[Setter]" : found.set === undefined ? "[Getter]" : "[Getter/Setter]";
    return { __proto__: null, text, enumerable: found !== undefined && found.enumerable };
  };

  const label = (key) => (typeof key === "symbol" ? `[${symbolText(key)}]` : plainName(key) ? key : quoted(clip(key, 1000)));

  const isIndex = (key, length) => {
    if (typeof key !== "string" || key.length === 0 || key.length > 10) return false;
    for (let i = 0; i < key.length; i++) { const c = charCode(key, i); if (c < 48 || c > 57) return false; }
    return +key < length && `${+key}` === key;
  };

  const object = (value, kind, depth, indent) => {
    if (kind === "proxy") return { __proto__: null, text: typeof value === "function" ? "[Function (Proxy)]" : "[Proxy]", levels: 0 };
    const name = constructorName(value);
    const prototype = getPrototypeOf(value);
    const given = name || (prototype === null ? "[Object: null prototype]" : "Object");
    const parts = list(), levels = { __proto__: null, most: 0 };
    let base = "", before = "{", after = "}", skip = 0, isList = false, total = 0;
    const prefix = (usual, size) => {
      const sized = size === undefined ? "" : `(${size})`;
      if (name === "" && prototype === null) return `[${usual}${sized}: null prototype] `;
      return name === usual ? `${usual}${sized} ` : `${given}${sized} [${usual}] `;
    };
    switch (kind) {
      case "array":
        before = `${name === "Array" ? "" : `${given}(${value.length}) `}[`; after = "]"; isList = true; skip = value.length; total = value.length;
        break;
      case "typed": {
        const tag = typedTag(value);
        total = skip = typedLength(value);
        before = `${name === tag ? tag : `${given} [${tag}]`}(${total}) [`; after = "]"; isList = true;
        break;
      }
      case "map": before = `${prefix("Map", mapSize(value))}{`; break;
      case "set": before = `${prefix("Set", setSize(value))}{`; break;
      case "buffer": before = `${prefix("ArrayBuffer")}{`; break;
      case "view": before = `${prefix("DataView")}{`; break;
      case "promise": before = `${prefix("Promise")}{`; break;
      case "weakmap": before = "WeakMap {"; push(parts, "<items unknown>"); break;
      case "weakset": before = "WeakSet {"; push(parts, "<items unknown>"); break;
      case "weakref": before = "WeakRef {"; push(parts, "<ref>"); break;
      case "generator": before = "Object [Generator] {"; break;
      case "iterator": before = "Object [Iterator] {"; break;
      case "function": base = functionText(value); break;
      case "date": { const time = dateTime(value); base = isFinite(time) ? dateText(value) : "Invalid Date"; break; }
      case "regexp": base = `/${regexpSource(value)}/${regexpFlags(value)}`; break;
      case "error": base = errorText(value, indent); break;
      case "number": base = `[Number: ${primitive(numberOf(value), true)}]`; break;
      case "string": { const text = stringOf(value); base = `[String: ${primitive(text, true)}]`; skip = text.length; break; }
      case "boolean": base = `[Boolean: ${booleanOf(value)}]`; break;
      case "symbol": base = `[Symbol: ${symbolText(symbolOf(value))}]`; break;
      case "bigint": base = `[BigInt: ${bigintText(bigintOf(value))}n]`; break;
      default:
        before = given === "Object" ? "{" : `${given} {`;
    }
    const own = keysOf(value, kind);
    if (depth < 0) {
      if (base !== "") return { __proto__: null, text: base, levels: 0 };
      return { __proto__: null, text: kind === "array" ? "[Array]" : `[${given}]`, levels: 0 };
    }
    if (isList) {
      let holes = 0;
      for (let i = 0, shownOnes = 0; i < total; i++) {
        if (shownOnes >= MANY) { push(parts, `... ${total - i} more item${total - i > 1 ? "s" : ""}`); cut = true; break; }
        if (kind === "array" && getOwnPropertyDescriptor(value, i) === undefined) {
          holes++;
          // A huge array is mostly nothing: what there is, is found by its keys.
          if (holes > 10000) { push(parts, `<${total - i + holes - 1} empty items>`); holes = 0; break; }
          if (i + 1 < total) continue;
        }
        if (holes > 0) { push(parts, `<${holes} empty item${holes > 1 ? "s" : ""}>`); holes = 0; shownOnes++; if (getOwnPropertyDescriptor(value, i) === undefined) break; }
        push(parts, member(value, i, depth - 1, indent, levels).text);
        shownOnes++;
      }
    } else if (kind === "map") {
      mapEach(value, (item, key) => {
        if (parts.length > MANY) return;
        if (parts.length === MANY) { cut = true; push(parts, `... ${mapSize(value) - MANY} more items`); return; }
        const a = show(key, depth - 1, indent + 2), b = show(item, depth - 1, indent + 2);
        levels.most = max(levels.most, a.levels, b.levels);
        push(parts, `${a.text} => ${b.text}`);
      });
    } else if (kind === "set") {
      setEach(value, (item) => {
        if (parts.length > MANY) return;
        if (parts.length === MANY) { cut = true; push(parts, `... ${setSize(value) - MANY} more items`); return; }
        const one = show(item, depth - 1, indent + 2);
        levels.most = max(levels.most, one.levels);
        push(parts, one.text);
      });
    } else if (kind === "buffer" || kind === "view") {
      const bytes = bytesOf(value), length = typedLength(bytes);
      let text = "";
      for (let i = 0; i < length && i < 50; i++) text += (i ? " " : "") + "0123456789abcdef"[bytes[i] >> 4] + "0123456789abcdef"[bytes[i] & 15];
      if (length > 50) { text += ` ... ${length - 50} more byte${length > 51 ? "s" : ""}`; cut = true; }
      push(parts, `[Uint8Contents]: <${text}>`);
      push(parts, `byteLength: ${length}`);
    } else if (kind === "promise") {
      const state = nature(value);
      if (state === 2) push(parts, "<pending>");
      else {
        const inner = show(settled(value), depth - 1, indent + 2);
        levels.most = max(levels.most, inner.levels);
        push(parts, state === 4 ? `<rejected> ${inner.text}` : inner.text);
      }
    }
    let count = 0;
    for (let i = 0; i < own.length; i++) {
      const key = own[i];
      if (skip > 0 && isIndex(key, skip)) continue;
      const found = getOwnPropertyDescriptor(value, key);
      if (found === undefined || !found.enumerable) {
        if (kind !== "error" || key !== "cause" || found === undefined) continue;
      }
      if (count >= 10 * MANY || left <= 0) { push(parts, `... ${own.length - i} more`); cut = true; break; }
      count++;
      const name = found.enumerable ? label(key) : `[${label(key)}]`;
      push(parts, `${name}: ${member(value, key, depth - 1, indent, levels).text}`);
    }
    if (base !== "") {
      if (parts.length === 0) return { __proto__: null, text: base, levels: 0 };
      before = `${base} {`;
    }
    if (parts.length === 0) return { __proto__: null, text: before + after, levels: 1 };
    return { __proto__: null, text: joined(before, parts, after, indent, levels.most, isList ? value : undefined), levels: levels.most + 1 };
  };

  // Puts members on one line where they fit and are not nested deeply, else one on each; numbers in columns.
  const joined = (before, parts, after, indent, levels, array) => {
    if (how.line) return inline(before, parts, after);
    const given = parts.length;
    if (array !== undefined && given > 6) parts = columns(parts, indent, array);
    if (levels < 3 && parts.length === given) {
      let length = parts.length + before.length + 10 + indent + parts.length;
      let breaks = false;
      for (let i = 0; i < parts.length; i++) { length += parts[i].length; breaks ||= hasText(parts[i], "\n"); }
      if (length <= WIDTH && !breaks && !hasText(before, "\n")) return inline(before, parts, after);
    }
    const start = `\n${repeat(" ", indent + 2)}`;
    let out = before;
    for (let i = 0; i < parts.length; i++) out += (i ? "," : "") + start + parts[i];
    return `${out}\n${repeat(" ", indent)}${after}`;
  };
  const inline = (before, parts, after) => {
    let out = "";
    for (let i = 0; i < parts.length && out.length < most; i++) out += (i ? ", " : "") + parts[i];
    return `${before} ${out} ${after}`;
  };
  const columns = (parts, indent, array) => {
    const more = parts[parts.length - 1][0] === "." ? 1 : 0;
    const count = parts.length - more;
    let total = 0, longest = 0;
    for (let i = 0; i < count; i++) { total += parts[i].length + 2; longest = max(longest, parts[i].length); if (hasText(parts[i], "\n")) return parts; }
    const widest = longest + 2;
    if (!(widest * 3 + indent < WIDTH && (total / widest > 5 || longest <= 6))) return parts;
    const biased = max(widest - 3 - sqrt(widest - total / parts.length), 1);
    const across = min(round(sqrt(2.5 * biased * count) / biased), floor((WIDTH - indent) / widest), 12, 15);
    if (across <= 1) return parts;
    const widths = list();
    for (let i = 0; i < across; i++) {
      let width = 0;
      for (let j = i; j < count; j += across) width = max(width, parts[j].length);
      push(widths, width + 2);
    }
    let numbers = true;
    for (let i = 0; i < count && numbers; i++) {
      const found = getOwnPropertyDescriptor(array, i);
      numbers = found !== undefined && (typeof found.value === "number" || typeof found.value === "bigint");
    }
    const out = list();
    for (let i = 0; i < count; i += across) {
      const end = min(i + across, count);
      let line = "";
      for (let j = i; j < end; j++) {
        const last = j === end - 1;
        const text = last ? parts[j] : `${parts[j]}, `;
        const width = widths[j - i] - (last ? 2 : 0);
        line += numbers ? padStart(text, width) : last ? text : padEnd(text, width);
      }
      push(out, line);
    }
    if (more) push(out, parts[count]);
    return out;
  };

  const ownText = (value, key) => {
    for (let at = value, i = 0; at !== null && i < 100 && nature(at) !== 1; i++) {
      const found = getOwnPropertyDescriptor(at, key);
      if (found !== undefined) return typeof found.value === "string" ? found.value : "";
      at = getPrototypeOf(at);
    }
    return "";
  };
  // The stack is a getter's answer with some engines. That of the engine itself is asked, nobody else's.
  const stackText = (value) => {
    const found = memberOf(value, "stack");
    if (found === undefined) return "";
    if (typeof found.value === "string") return found.value;
    if (typeof found.get !== "function" || nature(found.get) === 1 || !hasText(functionToString(found.get), "[native code]")) return "";
    try {
      const text = apply(found.get, value, []);
      return typeof text === "string" ? text : "";
    } catch { return ""; }
  };
  const functionText = (value) => {
    const found = getOwnPropertyDescriptor(value, "name");
    const name = found !== undefined && typeof found.value === "string" ? clip(found.value, 200) : "";
    if (isClass(value)) {
      const parent = getPrototypeOf(value);
      const base = typeof parent === "function" && nature(parent) !== 1 ? ownText(parent, "name") : "";
      return `[class ${name || "(anonymous)"}${base ? ` extends ${base}` : ""}]`;
    }
    const type = constructorName(value) || "Function";
    return name ? `[${type}: ${name}]` : `[${type} (anonymous)]`;
  };
  const errorText = (value, indent) => {
    const name = ownText(value, "name") || "Error", message = clip(ownText(value, "message"), 10000);
    const first = message ? `${name}: ${message}` : name;
    let stack = clip(stackText(value), 20000);
    if (how.line || stack === "") return `[${first}]`;
    // Each engine has its own way to begin it.
    const at = slice(stack, 0, first.length) === first ? first.length : 0;
    stack = slice(stack, at);
    while (stack.length && stack[stack.length - 1] === "\n") stack = slice(stack, 0, stack.length - 1);
    const text = first + (stack[0] === "\n" || stack === "" ? "" : "\n") + stack;
    return indent ? replaced(text, "\n", `\n${repeat(" ", indent)}`) : text;
  };

  let text = typeof root === "object" && root !== null || typeof root === "function" ? show(root, deepest, 0).text : primitive(root, false);
  if (how.line) text = replaced(text, "\n", "\\n");
  if (text.length > most) { text = slice(text, 0, most); cut = true; }
  return { __proto__: null, text, cut };
}

const PNG = [137, 80, 78, 71, 13, 10, 26, 10];

// A value as JSON of `Shown`; `png` is there where its bytes are those of an image.
function shown(value) {
  const { text, cut } = display(value, { __proto__: null });
  let png = "";
  if (typeof value === "object" && value !== null) {
    const kind = kindOf(value);
    if (kind === "typed" && typedTag(value) === "Uint8Array" || kind === "buffer") {
      const bytes = bytesOf(value), length = typedLength(bytes);
      let is = length > 8 && length <= 4194304;
      for (let i = 0; is && i < 8; i++) is = bytes[i] === PNG[i];
      if (is) png = `,"png":"${encoded(bytes)}"`;
    }
  }
  return `{"type_name":${quote(typeName(value))},"text":${quote(text)},"cut":${cut}${png}}`;
}
