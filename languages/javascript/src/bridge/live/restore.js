// ---- restoring --------------------------------------------------------------------------------------------------

const { setPrototypeOf, preventExtensions } = global.Reflect;
const symbolFor = NativeSymbol.for;

// The functions that make definitions again, by their numbers; `method` where they give an object that has it.
const makers = list();
function made(main, number, method) {
  makers[number] = { __proto__: null, main, method };
  if (number >= makers.length) makers.length = number + 1;
  return "";
}

function fromBase64(text) {
  let length = floor(text.length / 4) * 3;
  if (text[text.length - 1] === "=") length--;
  if (text[text.length - 2] === "=") length--;
  const out = new Bytes(max(length, 0));
  const digit = (c) => (c >= 97 ? c - 71 : c >= 65 ? c - 65 : c >= 48 ? c + 4 : c === 43 ? 62 : c === 47 ? 63 : 0);
  for (let i = 0, at = 0; i < text.length; i += 4) {
    const n = (digit(charCode(text, i)) << 18) | (digit(charCode(text, i + 1)) << 12) | (digit(charCode(text, i + 2)) << 6) | digit(charCode(text, i + 3));
    if (at < length) out[at++] = (n >> 16) & 255;
    if (at < length) out[at++] = (n >> 8) & 255;
    if (at < length) out[at++] = n & 255;
  }
  return out;
}

// Fills the namespace. Answers what is missing.
function restore(text) {
  const { roots, skills: called, own, heap } = jsonParse(text);
  const lost = list();
  const objects = list(), state = list();
  const nowhere = (name, why) => { lost[lost.length++] = `{"name":${quote(plain(name))},"why":${quote(why)}}`; };
  const isClassEntry = (number) => heap[number][0] === "f" && heap[number][4] === 1;

  const walk = (path) => {
    let at = global;
    for (let i = 0; i < path.length; i++) {
      const found = at === undefined || at === null ? undefined : getOwnPropertyDescriptor(at, path[i]);
      if (found === undefined) { nowhere(path[0], `this session has no ${clip(path[path.length - 1], 100)}`); return undefined; }
      at = found.value;
    }
    return at;
  };
  const decodeValue = (given) => {
    if (typeof given !== "object" || given === null) return given;
    switch (given[0]) {
      case "n": return given[1] === "-0" ? -0 : given[1] === "NaN" ? NaN : given[1] === "Infinity" ? Infinity : -Infinity;
      case "b": return given[1][0] === "-" ? -toBigInt(`0x${slice(given[1], 1)}`) : toBigInt(`0x${given[1]}`);
      case "s": return symbolFor(given[1]);
      case "w": return NativeSymbol[given[1]];
      case "g": return walk(given[1]);
      case "r": return object(given[1]);
    }
    return undefined;
  };

  // The object with a number, made where it is not yet; its contents come later.
  const object = (number) => {
    if (state[number] !== undefined) return objects[number];
    state[number] = 1;
    const one = heap[number];
    let value;
    switch (one[0]) {
      case "o": value = {}; break;
      case "a": value = []; value.length = one[3]; break;
      case "m": value = new NativeMap(); break;
      case "t": value = new NativeSet(); break;
      case "d": value = new NativeDate(decodeValue(one[3])); break;
      case "x": value = new NativeRegExp(one[3], one[4]); break;
      case "B": value = viewless(fromBase64(one[3])); break;
      case "T": value = construct(global[one[3]], [object(one[4][1]), one[5], one[6]]); break;
      case "V": value = new NativeView(object(one[3][1]), one[4], one[5]); break;
      case "e": value = new NativeError(); deleteProperty(value, "stack"); deleteProperty(value, "message"); break;
      case "N": value = NativeObject(decodeValue(one[3])); break;
      case "y": value = one[1] === null ? NativeSymbol() : NativeSymbol(one[1]); break;
      case "P": { const owner = object(one[3][1]); value = owner === undefined ? {} : owner.prototype; break; }
      case "f": value = again(number, one); break;
    }
    objects[number] = value;
    if (one[0] === "f" && one[4] === 1) publish(number);
    return value;
  };
  const viewless = (bytes) => typedBuffer(bytes);

  const again = (number, one) => {
    // What a class extends is there before it is.
    const parent = one[2];
    if (one[4] === 1 && typeof parent === "object" && parent[0] === "r") object(parent[1]);
    try {
      const maker = makers[one[3]];
      const value = maker.main(skill, undefined, tools);
      if (!maker.method) return value;
      const found = getOwnPropertyDescriptor(value, ownKeys(value)[0]);
      return found.value || found.get || found.set;
    } catch (error) {
      nowhere(rootOf(number), `it could not be made again: ${facts(error).message || "an error"}`);
      return undefined;
    }
  };
  const rootOf = (number) => {
    let name = "a class or a function";
    eachRoot((key, flags, first) => { if (typeof first === "object" && first !== null && first[0] === "r" && first[1] === number) name = key; });
    return name;
  };
  const eachRoot = (work) => eachProperty(roots, work);
  const eachProperty = (all, work) => {
    for (let i = 0; i < all.length; i += all[i + 1] & 8 ? 4 : 3) work(all[i], all[i + 1], all[i + 2], all[i + 3]);
  };
  const put = (holder, key, flags, first, second) => {
    const descriptor = { __proto__: null, enumerable: (flags & 2) !== 0, configurable: (flags & 4) !== 0 };
    if (flags & 8) { descriptor.get = decodeValue(first); descriptor.set = decodeValue(second); }
    else { descriptor.value = decodeValue(first); descriptor.writable = (flags & 1) !== 0; }
    return defineProperty(holder, key, descriptor);
  };
  // The variables that a class has are there for the next class.
  const publish = (number) => {
    eachRoot((key, flags, first, second) => {
      if (typeof first === "object" && first !== null && first[0] === "r" && first[1] === number) put(global, key, flags, first, second);
    });
  };

  const fill = (number) => {
    const one = heap[number], value = object(number);
    if (one[0] === "y" || value === undefined) return;
    const prototype = one[2];
    if (prototype !== 0) setPrototypeOf(value, typeof prototype === "object" && prototype[0] === "z" ? null : orObject(decodeValue(prototype)));
    let rest = one[one.length - 1];
    switch (one[0]) {
      case "a": {
        const items = one[4];
        if (items !== null) for (let i = 0; i < items.length; i++) {
          const item = items[i];
          if (typeof item === "object" && item !== null && item[0] === "h") continue;
          defineProperty(value, i, open(decodeValue(item)));
        }
        break;
      }
      case "m": for (let i = 0; i < one[3].length; i += 2) mapPut(value, decodeValue(one[3][i]), decodeValue(one[3][i + 1])); break;
      case "t": for (let i = 0; i < one[3].length; i++) setAdd(value, decodeValue(one[3][i])); break;
    }
    eachProperty(rest, (key, flags, first, second) => { put(value, decodeValue(key), flags, first, second); });
  };
  const orObject = (value) => (value === undefined ? objectPrototype : value);

  // Whether an entry leads straight to a class, whose making may run code that reads what is there already.
  const waits = (number) => {
    if (isClassEntry(number)) return true;
    let found = false;
    const look = (given) => {
      if (typeof given !== "object" || given === null) return;
      if (given[0] === "r") { const to = heap[given[1]]; found ||= to[0] === "f" && to[4] === 1 || to[0] === "P"; return; }
      if (isArray(given)) for (let i = 0; i < given.length; i++) look(given[i]);
    };
    const one = heap[number];
    if (one[0] === "P") return true;
    for (let i = 1; i < one.length; i++) look(one[i]);
    return found;
  };
  const late = list();
  for (let i = 0; i < heap.length; i++) {
    if (heap[i][0] !== "P" && !isClassEntry(i)) object(i);
  }
  eachRoot((key, flags, first, second) => {
    const isLate = typeof first === "object" && first !== null && first[0] === "r" && (isClassEntry(first[1]) || heap[first[1]][0] === "P");
    if (!isLate) put(global, key, flags, first, second);
  });
  for (let i = 0; i < heap.length; i++) {
    if (waits(i)) late[late.length++] = i; else fill(i);
  }
  for (let i = 0; i < late.length; i++) object(late[i]);
  for (let i = 0; i < late.length; i++) fill(late[i]);
  eachRoot((key, flags, first, second) => { put(global, key, flags, first, second); });
  for (let i = 0; i < heap.length; i++) {
    if (heap[i][1] === 0 && heap[i][0] !== "y" && objects[i] !== undefined) preventExtensions(objects[i]);
  }
  for (let i = 0; i < called.length; i++) if (called[i] !== null) skills[i] = decodeValue(called[i]);
  ownLast = own;
  makers.length = 0;
  let out = "";
  for (let i = 0; i < lost.length; i++) out += (i ? "," : "") + lost[i];
  return `[${out}]`;
}
