// ---- completion and inspection ----------------------------------------------------------------------------------

const boxes = {
  __proto__: null, string: global.String.prototype, number: global.Number.prototype, boolean: global.Boolean.prototype,
  bigint: global.BigInt.prototype, symbol: global.Symbol.prototype,
};

// What a path of names stands for, as a property; nothing where that is not known without running something.
function lookup(path) {
  let found = property(path[0]);
  for (let i = 1; i < path.length && found !== undefined; i++) {
    if (!("value" in found)) return undefined;
    found = memberOf(found.value, path[i]);
  }
  return found;
}

function memberOf(value, name) {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") {
    const own = getOwnPropertyDescriptor(NativeObject(value), name);
    if (own !== undefined) return own;
  }
  let at = typeof value === "object" || typeof value === "function" ? value : boxes[typeof value];
  for (let i = 0; at !== null && at !== undefined && i < 1000 && nature(at) !== 1; i++) {
    const found = getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
    at = getPrototypeOf(at);
  }
  return undefined;
}

// The names that begin so: of the namespace where the path is empty, else of what it stands for.
function members(pathText, prefix) {
  const path = jsonParse(pathText);
  const seen = new NativeMap();
  const out = list();
  const offer = (name, kind) => {
    if (typeof name !== "string" || out.length >= 2000 || slice(name, 0, prefix.length) !== prefix || mapHas(seen, name)) return;
    const c = charCode(name, 0);
    if (name === "" || (c >= 48 && c <= 57)) return;
    mapPut(seen, name, true);
    out[out.length++] = `{"text":${quote(name)},"kind":"${kind}"}`;
  };
  if (path.length === 0) {
    const names = ownKeys(global);
    for (let i = 0; i < names.length; i++) {
      if (typeof names[i] !== "string") continue;
      const found = getOwnPropertyDescriptor(global, names[i]);
      offer(plain(names[i]), "value" in found ? nameKind(found.value) : "value");
    }
  } else {
    const found = lookup(path);
    if (found !== undefined && "value" in found && found.value !== null && found.value !== undefined) {
      const value = found.value;
      if (typeof value === "string") offer("length", "member");
      let at = typeof value === "object" || typeof value === "function" ? value : boxes[typeof value];
      for (let i = 0; at !== null && at !== undefined && i < 1000 && nature(at) !== 1; i++) {
        const names = keysOf(at, isArray(at) ? "array" : typedTag(at) !== undefined ? "typed" : "object");
        for (let j = 0; j < names.length && j < 10000; j++) offer(names[j], "member");
        at = getPrototypeOf(at);
      }
    }
  }
  let text = "";
  for (let i = 0; i < out.length; i++) text += (i ? "," : "") + out[i];
  return `[${text}]`;
}

// What a path stands for: how it is shown, and of a function its text. `?` where there is nothing.
function inspected(pathText) {
  const found = lookup(jsonParse(pathText));
  if (found === undefined) return "?";
  if (!("value" in found)) {
    const text = found.get === undefined ? "[Setter]" : found.set === undefined ? "[Getter]" : "[Getter/Setter]";
    return `{"shown":{"type_name":"accessor","text":"${text}","cut":false}}`;
  }
  const value = found.value;
  let more = "";
  if (typeof value === "function" && nature(value) !== 1) {
    const name = getOwnPropertyDescriptor(value, "name"), length = getOwnPropertyDescriptor(value, "length");
    more = `,"name":${quote(name !== undefined && typeof name.value === "string" ? name.value : "")},"length":${length !== undefined && typeof length.value === "number" ? length.value : 0},"source":${quote(functionToString(value))}`;
  }
  return `{"shown":${shown(value)}${more}}`;
}
