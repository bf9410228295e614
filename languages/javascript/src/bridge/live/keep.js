// ---- snapshots --------------------------------------------------------------------------------------------------

// A snapshot is JSON: the objects of the namespace, each with a number, and the variables that lead to them. Objects name
// one another by their numbers, so what is shared stays shared and cycles close. A function or a class is the number of
// its source, which the host keeps beside it; what the engine itself made is a path from the global object. Nothing is
// nested, so nothing is too deep.
//
// A value is a JSON scalar, or an array: `u` undefined, `n` a number that JSON lacks, `b` a BigInt, `s` and `w` symbols,
// `g` a path, `r` an object, `h` a hole.

const { Map: NativeMap, Set: NativeSet, Date: NativeDate, RegExp: NativeRegExp, Array: NativeArray, Error: NativeError,
  ArrayBuffer: NativeBuffer, DataView: NativeView, Uint8Array: Bytes, Symbol: NativeSymbol, Object: NativeObject,
  Function: NativeFunction, WeakMap: NativeWeakMap } = global;
const isExtensible = global.Reflect.isExtensible;
const symbolKey = NativeSymbol.keyFor;
const symbolText0 = uncurry(getOwnPropertyDescriptor(NativeSymbol.prototype, "description").get);
const functionPrototype = getPrototypeOf(() => {});

const WELL_KNOWN = list();
for (const name of ownKeys(NativeSymbol)) {
  if (typeof NativeSymbol[name] === "symbol") WELL_KNOWN[WELL_KNOWN.length++] = name;
}

// What an object has for its prototype where nobody has said otherwise.
const usual = {
  __proto__: null, object: objectPrototype, array: NativeArray.prototype, map: NativeMap.prototype, set: NativeSet.prototype,
  date: NativeDate.prototype, regexp: NativeRegExp.prototype, buffer: NativeBuffer.prototype, view: NativeView.prototype,
  error: NativeError.prototype, number: global.Number.prototype, string: global.String.prototype,
  boolean: global.Boolean.prototype, symbol: NativeSymbol.prototype, bigint: global.BigInt.prototype,
};

const UNKEPT = {
  __proto__: null, proxy: "a proxy cannot be kept", promise: "a promise cannot be kept", generator: "a generator cannot be kept",
  iterator: "an iterator cannot be kept", weakmap: "a WeakMap cannot be kept", weakset: "a WeakSet cannot be kept",
  weakref: "a WeakRef cannot be kept",
};

// The engine's own objects and functions, each with its path from the global object.
function ownWorld() {
  const paths = new NativeWeakMap();
  const enter = (value, path, depth) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || nature(value) !== 0) return;
    if (weakHas(paths, value) ) return;
    if (typeof value === "function" && define(functionToString(value)) !== "") return;
    weakSet(paths, value, `[${path}]`);
    if (depth === 0) return;
    const names = ownKeys(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (typeof name !== "string") continue;
      const found = getOwnPropertyDescriptor(value, name);
      if ("value" in found) enter(found.value, `${path},${jsonStringify(name)}`, depth - 1);
    }
  };
  const names = ownKeys(global);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (typeof name !== "string" || !isKnown(knownGlobals, name)) continue;
    const found = getOwnPropertyDescriptor(global, name);
    if ("value" in found) enter(found.value, jsonStringify(name), name === "globalThis" ? 0 : 2);
  }
  return paths;
}

function snapshot() {
  const world = ownWorld();
  const numbers = new NativeMap();
  const heap = list(), queue = list(), from = list(), labels = list(), lost = list();
  const privates = new NativeMap();

  const where = (number, label) => {
    let path = "";
    for (let at = number, i = 0; at >= 0 && i < 20; i++) {
      const one = labels[at];
      if (from[at] < 0) return { __proto__: null, name: one, path: one + path + label };
      path = one + path;
      at = from[at];
    }
    return { __proto__: null, name: "…", path: `…${path}${label}` };
  };
  const lose = (number, label, why) => {
    const at = number < 0 ? { __proto__: null, name: label, path: label } : where(number, label);
    if (lost.length >= 1000 || ((at.name === "_" || at.name === "params") && isGiven(at.name))) return;
    lost[lost.length++] = `{"name":${quote(plain(at.name))},"why":${quote(at.path === at.name ? why : `${clip(at.path, 200)}: ${why}`)}}`;
  };
  const step = (key) => (typeof key === "symbol" ? `[${symbolText(key)}]` : plainName(key) ? `.${key}` : `[${quote(clip(key, 40))}]`);

  // Why an object cannot be kept; nothing where it can.
  const unkept = (value) => {
    const kind = kindOf(value);
    if (kind !== "function") return UNKEPT[kind];
    const text = functionToString(value);
    const known = define(text);
    if (known[0] === "=") return undefined;
    if (known[0] === "!") return `this function is more than its source: ${slice(known, 1)}`;
    return hasText(text, "[native code]") ? "a native or bound function cannot be kept" : "the source of this function is not known as a whole";
  };

  // A value as it stands in an entry; nothing where it is lost.
  const encode = (value, number, label) => {
    switch (typeof value) {
      case "string": return jsonStringify(value);
      case "boolean": return value ? "true" : "false";
      case "number": return isFinite(value) && !(value === 0 && 1 / value < 0) ? `${value}` : `["n","${value === 0 ? "-0" : value}"]`;
      case "undefined": return '["u"]';
      case "bigint": return `["b","${bigintText(value, 16)}"]`;
      case "symbol": {
        for (let i = 0; i < WELL_KNOWN.length; i++) if (NativeSymbol[WELL_KNOWN[i]] === value) return `["w","${WELL_KNOWN[i]}"]`;
        const key = symbolKey(value);
        if (key !== undefined) return `["s",${jsonStringify(key)}]`;
        break;
      }
    }
    if (value === null) return "null";
    const known = mapGet(numbers, value);
    if (known !== undefined) return `["r",${known}]`;
    if (typeof value !== "symbol") {
      const path = weakGet(world, value);
      if (path !== undefined) return `["g",${path}]`;
      const why = unkept(value);
      if (why !== undefined) { lose(number, label, why); return undefined; }
    }
    const mine = queue.length;
    mapPut(numbers, value, mine);
    queue[queue.length++] = value;
    from[from.length++] = number;
    labels[labels.length++] = label;
    return `["r",${mine}]`;
  };

  // The properties of an object: key, flags and value, or key, flags, getter and setter.
  const properties = (value, number, skip, kind) => {
    const names = keysOf(value, kind);
    let out = "";
    for (let i = 0; i < names.length; i++) {
      const key = names[i];
      const found = getOwnPropertyDescriptor(value, key);
      if (found === undefined || skip(key, found)) continue;
      const label = step(key);
      const name = encode(key, number, label);
      const flags = (found.writable ? 1 : 0) | (found.enumerable ? 2 : 0) | (found.configurable ? 4 : 0);
      if ("value" in found) {
        const text = encode(found.value, number, label);
        out += `${out ? "," : ""}${name},${flags},${text === undefined ? '["u"]' : text}`;
      } else {
        const getter = encode(found.get, number, label), setter = encode(found.set, number, label);
        out += `${out ? "," : ""}${name},${flags | 8},${getter === undefined ? '["u"]' : getter},${setter === undefined ? '["u"]' : setter}`;
      }
    }
    return `[${out}]`;
  };
  const none = () => false;

  // What comes with the source of a class is not told again.
  const ofSource = (value) => typeof value === "function" && (nature(value) === 1 || (!weakHas(world, value) && define(functionToString(value))[0] !== "="));
  const ofClass = (key, found) => key === "length" || key === "prototype" || key === "constructor" || key === "arguments" || key === "caller"
    || ("value" in found ? ofSource(found.value) : ofSource(found.get) || ofSource(found.set));

  const prototypeOf = (value, number, kind) => {
    const prototype = getPrototypeOf(value);
    if (prototype === null) return '["z"]';
    if (prototype === usual[kind]) return "0";
    if (nature(prototype) === 1) { lose(number, "", "its prototype is a proxy"); return "0"; }
    privately(prototype, number);
    const text = encode(prototype, number, ".__proto__");
    return text === undefined ? "0" : text;
  };

  // Names the class whose private fields an object may have.
  const privately = (prototype, number) => {
    let name = mapGet(privates, prototype);
    if (name === undefined) {
      name = "";
      for (let at = prototype, i = 0; at !== null && i < 100 && nature(at) !== 1 && !weakHas(world, at); i++) {
        const found = getOwnPropertyDescriptor(at, "constructor");
        if (found !== undefined && typeof found.value === "function" && nature(found.value) !== 1 && slice(define(functionToString(found.value)), 0, 2) === "=#") {
          name = constructorName(at) || "its class";
          break;
        }
        at = getPrototypeOf(at);
      }
      mapPut(privates, prototype, name);
    }
    const own = getOwnPropertyDescriptor(queue[number], "constructor");
    if (name !== "" && own === undefined) lose(number, "", `the private fields of ${name} are not kept`);
  };

  const entry = (value, number) => {
    if (typeof value === "symbol") {
      const text = symbolText0(value);
      return `["y",${text === undefined ? "null" : jsonStringify(text)}]`;
    }
    const kind = kindOf(value);
    const head = (tag) => `["${tag}",${isExtensible(value) ? 1 : 0},${prototypeOf(value, number, kind)}`;
    switch (kind) {
      case "function": {
        const known = define(functionToString(value));
        const at = known[1] === "#" ? 2 : 1;
        const isClass = known[at] === "c";
        const parent = getPrototypeOf(value);
        const above = parent === null ? '["z"]' : parent === functionPrototype ? "0"
          : typeof parent === "function" ? encode(parent, number, ".__proto__") : "0";
        const own = getOwnPropertyDescriptor(value, "prototype");
        const members = own !== undefined && typeof own.value === "object" && own.value !== null && nature(own.value) !== 1 ? own.value : undefined;
        if (members !== undefined && (isClass || ownKeys(members).length > 1)) encode(members, number, ".prototype");
        const rest = properties(value, number, isClass ? ofClass : (key) => key === "length" || key === "prototype" || key === "arguments" || key === "caller");
        return `["f",${isExtensible(value) ? 1 : 0},${above === undefined ? "0" : above},${slice(known, at + 1)},${isClass ? 1 : 0},${rest}]`;
      }
      case "array": {
        const length = value.length, full = isLongAndFull(value), names = full ? length + 1 : ownKeys(value).length;
        if (length > 2 * names + 16) return `${head("a")},${length},null,${properties(value, number, (key) => key === "length")}]`;
        let items = "";
        let plainOnes = 0;
        for (let i = 0; i < length; i++) {
          const found = getOwnPropertyDescriptor(value, i);
          let text = '["h"]';
          if (found !== undefined && "value" in found && found.writable && found.enumerable && found.configurable) {
            plainOnes++;
            text = encode(found.value, number, `[${i}]`);
            if (text === undefined) text = '["u"]';
          }
          items += (i ? "," : "") + text;
        }
        const rest = full || plainOnes + 1 === names ? "[]" : properties(value, number, (key, found) => key === "length" || (isIndex(key) && "value" in found && found.writable && found.enumerable && found.configurable));
        return `${head("a")},${length},[${items}],${rest}]`;
      }
      case "map": {
        let out = "";
        mapEach(value, (member, key) => {
          const shownKey = typeof key === "string" ? `.get(${quote(clip(key, 40))})` : ".get(…)";
          const a = encode(key, number, shownKey), b = encode(member, number, shownKey);
          if (a !== undefined) out += `${out ? "," : ""}${a},${b === undefined ? '["u"]' : b}`;
        });
        return `${head("m")},[${out}],${properties(value, number, none)}]`;
      }
      case "set": {
        let out = "";
        setEach(value, (member) => {
          const text = encode(member, number, ".member");
          if (text !== undefined) out += (out ? "," : "") + text;
        });
        return `${head("t")},[${out}],${properties(value, number, none)}]`;
      }
      case "date": return `${head("d")},${encode(dateTime(value), number, "")},${properties(value, number, none)}]`;
      case "regexp": return `${head("x")},${jsonStringify(regexpSource(value))},"${regexpFlags(value)}",${properties(value, number, none)}]`;
      case "buffer": { const bytes = new Bytes(value); return `${head("B")},"${encoded(bytes)}",${properties(value, number, none)}]`; }
      case "typed": {
        const tag = typedTag(value), base = getPrototypeOf(value) === global[tag].prototype;
        const buffer = encode(typedBuffer(value), number, ".buffer");
        return `["T",${isExtensible(value) ? 1 : 0},${base ? 0 : prototypeOf(value, number, kind)},"${tag}",${buffer},${typedOffset(value)},${typedLength(value)},${properties(value, number, (key) => isIndex(key), kind)}]`;
      }
      case "view": return `${head("V")},${encode(viewBuffer(value), number, ".buffer")},${viewOffset(value)},${viewLength(value)},${properties(value, number, none)}]`;
      // Where an error came from is not kept: its places are those of this session.
      case "error": return `${head("e")},${properties(value, number, (key) => key === "stack")}]`;
      case "number": return `${head("N")},${encode(numberOf(value), number, "")},${properties(value, number, none)}]`;
      case "string": { const text = stringOf(value); return `${head("N")},${jsonStringify(text)},${properties(value, number, (key) => key === "length" || (isIndex(key) && +key < text.length))}]`; }
      case "boolean": return `${head("N")},${booleanOf(value)},${properties(value, number, none)}]`;
      case "symbol": return `${head("N")},${encode(symbolOf(value), number, ".description")},${properties(value, number, none)}]`;
      case "bigint": return `${head("N")},${encode(bigintOf(value), number, "")},${properties(value, number, none)}]`;
    }
    const maker = getOwnPropertyDescriptor(value, "constructor");
    if (maker !== undefined && typeof maker.value === "function" && nature(maker.value) === 0) {
      const members = getOwnPropertyDescriptor(maker.value, "prototype");
      if (members !== undefined && members.value === value && define(functionToString(maker.value))[0] === "=") {
        const owner = encode(maker.value, number, ".constructor");
        const isOfClass = isClass(maker.value);
        return `["P",${isExtensible(value) ? 1 : 0},${isOfClass ? "0" : prototypeOf(value, number, kind)},${owner},${properties(value, number, isOfClass ? ofClass : (key) => key === "constructor")}]`;
      }
    }
    return `${head("o")},${properties(value, number, none)}]`;
  };

  const isIndex = (key) => {
    if (typeof key !== "string" || key.length === 0 || key.length > 10) return false;
    for (let i = 0; i < key.length; i++) { const c = charCode(key, i); if (c < 48 || c > 57) return false; }
    return true;
  };

  let roots = "";
  const names = ownKeys(global);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (typeof name !== "string" || isKnown(knownGlobals, name)) continue;
    const found = getOwnPropertyDescriptor(global, name);
    const flags = (found.writable ? 1 : 0) | (found.enumerable ? 2 : 0) | (found.configurable ? 4 : 0);
    if ("value" in found) {
      const text = encode(found.value, -1, name);
      if (text !== undefined) roots += `${roots ? "," : ""}${jsonStringify(name)},${flags},${text}`;
    } else {
      const getter = encode(found.get, -1, name), setter = encode(found.set, -1, name);
      if (getter !== undefined && setter !== undefined) roots += `${roots ? "," : ""}${jsonStringify(name)},${flags | 8},${getter},${setter}`;
    }
  }
  let kept = "";
  const sources = keys(skills);
  for (let i = 0; i < sources.length; i++) {
    const text = encode(skills[sources[i]], -1, "run");
    kept += `${i ? "," : ""}${text === undefined ? "null" : text}`;
  }
  if (pendingTimers() > 0) lose(-1, "setTimeout", "timers that have not run yet are not kept");
  for (let i = 0; i < changed.length; i++) {
    if (ownKeys(changed[i].object).length !== changed[i].count) {
      lose(-1, `${constructorName(changed[i].object) || "Object"}.prototype`, "changes to what the language brings are not kept");
    }
  }
  let out = "";
  for (let i = 0; i < queue.length; i++) out += (i ? ",\n" : "") + entry(queue[i], i);
  let missing = "";
  for (let i = 0; i < lost.length; i++) missing += (i ? "," : "") + lost[i];
  return `[${missing}]\n{"roots":[${roots}],"skills":[${kept}],"own":${ownLast},"heap":[${out}]}`;
}
