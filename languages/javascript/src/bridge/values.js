// What every script's world is made of. It runs once in a session, before any script, as the body of a function whose
// arguments are the only ways into the host: `print(stream, text)`, `call(index, argumentsJson, operations)`, `exceeded(which)` and
// `called()`. They stay in this closure; a script can reach none of them except through what is built here. `ELEMENT` and
// `MEMBER` are what one of an array or object counts for beside its text.
//
// Nothing below looks a method up on an object that a script can touch: every built-in that is needed later is taken
// now, and called through `uncurry`, so a script that rewrites prototypes changes only its own view.
"use strict";

const uncurry = Function.prototype.call.bind.bind(Function.prototype.call);
const { parse: jsonParse, stringify: jsonStringify } = JSON;
const { isArray } = Array;
const { isFinite, isInteger } = Number;
const isError = Error.isError;
const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty, deleteProperty, apply } = Reflect;
const { keys, freeze, create } = Object;
const objectPrototype = Object.prototype;
const propertyIsEnumerable = uncurry(objectPrototype.propertyIsEnumerable);
const objectToString = uncurry(objectPrototype.toString);
const functionToString = uncurry(Function.prototype.toString);
const toWellFormed = uncurry(String.prototype.toWellFormed);
const isWellFormed = uncurry(String.prototype.isWellFormed);
const slice = uncurry(String.prototype.slice);
const charCode = uncurry(String.prototype.charCodeAt);
const repeat = uncurry(String.prototype.repeat);
const bigintText = uncurry(BigInt.prototype.toString);
const symbolText = uncurry(Symbol.prototype.toString);
const dateTime = uncurry(Date.prototype.getTime);
const dateText = uncurry(Date.prototype.toISOString);
const regexpText = uncurry(RegExp.prototype.toString);
const then = uncurry(Promise.prototype.then);
const typedPrototype = getPrototypeOf(Uint8Array.prototype);
const typedTag = uncurry(getOwnPropertyDescriptor(typedPrototype, Symbol.toStringTag).get);
const typedLength = uncurry(getOwnPropertyDescriptor(typedPrototype, "length").get);
const bufferLength = uncurry(getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get);
const viewBuffer = uncurry(getOwnPropertyDescriptor(DataView.prototype, "buffer").get);
const viewOffset = uncurry(getOwnPropertyDescriptor(DataView.prototype, "byteOffset").get);
const viewLength = uncurry(getOwnPropertyDescriptor(DataView.prototype, "byteLength").get);
const mapSize = uncurry(getOwnPropertyDescriptor(Map.prototype, "size").get);
const setSize = uncurry(getOwnPropertyDescriptor(Set.prototype, "size").get);
const mapEach = uncurry(Map.prototype.forEach);
const setEach = uncurry(Set.prototype.forEach);
const weakGet = uncurry(WeakMap.prototype.get);
const weakSet = uncurry(WeakMap.prototype.set);
const weakHas = uncurry(WeakMap.prototype.has);
const fromCharCode = String.fromCharCode;
const now = Date.now;
const toNumber = Number;
const MAX_EXACT = 9007199254740991n;
const global = globalThis;
const NativeFunction = Function;
const nativeEval = eval;
const { BigInt: toBigInt, Error: NativeError, TypeError: NativeTypeError, RangeError: NativeRangeError } = global;
const { Uint8Array: Bytes, Promise: NativePromise, WeakMap: NativeWeakMap } = global;

// An array that owes nothing to Array.prototype: appending never meets a setter that a script put there.
const list = () => ({ __proto__: null, length: 0 });

// ---- out: a value becomes JSON text -----------------------------------------------------------------------------

// What stops an encoding. Never seen by a script. It is told by a private name: a proxy has no trap for that.
class Stop {
  #mark;
  static is(value) { return typeof value === "object" && value !== null && #mark in value; }
  constructor(code, detail, path) {
    this.code = code;
    this.detail = detail;
    this.path = path;
  }
}

const quote = (text) => jsonStringify(toWellFormed(text));
const clip = (text, most) => (text.length > most ? slice(text, 0, most) : text);
const described = (type, repr) => `{"$type":${quote(type)},"repr":${quote(clip(repr, 400))}}`;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
function base64(bytes, length) {
  let out = "";
  for (let i = 0; i < length; i += 3) {
    const a = bytes[i], b = i + 1 < length ? bytes[i + 1] : 0, c = i + 2 < length ? bytes[i + 2] : 0;
    out += DIGITS[a >> 2] + DIGITS[((a & 3) << 4) | (b >> 4)];
    out += i + 1 < length ? DIGITS[((b & 15) << 2) | (c >> 6)] : "=";
    out += i + 2 < length ? DIGITS[c & 63] : "=";
  }
  return out;
}

class Encoder {
  constructor(limit, depth) {
    this.limit = limit;
    this.depth = depth;
    this.size = 0;
    this.open = list();
    this.path = list();
  }

  charge(amount) {
    this.size += amount;
    if (this.size > this.limit) throw new Stop("size", this.size, "");
  }

  stop(code, detail) {
    let path = "";
    for (let i = 0; i < this.path.length; i++) {
      const step = this.path[i];
      path += (i ? "," : "") + (typeof step === "number" ? step : quote(clip(step, 100)));
    }
    return new Stop(code, detail, `[${path}]`);
  }

  text(value) {
    this.charge(value.length + 2);
    // Half a character is written as an escape, which is JSON text, and no JSON reader takes.
    return isWellFormed(value) ? jsonStringify(value) : `{"$type":"string","repr":${jsonStringify(jsonStringify(value))}}`;
  }

  name(value) {
    this.charge(value.length + 2);
    if (!isWellFormed(value)) throw this.stop("text", "");
    return jsonStringify(value);
  }

  scalar(text) {
    this.charge(text.length);
    return text;
  }

  value(value) {
    switch (typeof value) {
      case "number":
        if (!isFinite(value)) throw this.stop("number", `${value}`);
        return this.scalar(value === 0 && 1 / value < 0 ? "-0.0" : `${value}`);
      case "string":
        return this.text(value);
      case "boolean":
        return this.scalar(value ? "true" : "false");
      case "undefined":
        return this.scalar("null");
      case "bigint": {
        if (value <= MAX_EXACT && value >= -MAX_EXACT) return this.scalar(bigintText(value));
        // Refused before the digits are made: they take time and memory that grow with the square of the size.
        if (value > WIDEST || value < -WIDEST) return this.scalar(described("integer", "an integer of more than 4000 digits"));
        return this.scalar(`{"$type":"integer","repr":"${bigintText(value)}"}`);
      }
      case "symbol":
        return this.scalar(described("symbol", symbolText(value)));
      case "function":
        return this.scalar(described("function", functionName(value)));
    }
    return value === null ? this.scalar("null") : this.object(value);
  }

  object(value) {
    for (let i = 0; i < this.open.length; i++) {
      if (this.open[i] === value) return this.scalar(described("cycle", isArray(value) ? "[...]" : "{...}"));
    }
    if (isArray(value)) return this.items(value, value.length);
    const prototype = getPrototypeOf(value);
    if (prototype !== objectPrototype && prototype !== null) {
      const special = this.special(value);
      if (special !== undefined) return special;
    }
    this.enter(value);
    this.charge(2);
    const names = keys(value);
    const count = names.length;
    let out = "", first = true;
    for (let i = 0; i < count; i++) {
      const name = names[i];
      const member = value[name];
      if (member === undefined) continue;
      this.charge((first ? 1 : 2) + MEMBER);
      out += (first ? "" : ",") + this.name(name) + ":";
      this.step(name);
      out += this.value(member);
      this.path.length--;
      first = false;
    }
    this.open.length--;
    return `{${out}}`;
  }

  enter(value) {
    if (this.open.length >= this.depth) throw this.stop("depth", 0);
    this.open[this.open.length++] = value;
  }

  step(name) {
    this.path[this.path.length++] = name;
  }

  items(value, length) {
    this.enter(value);
    this.charge(2);
    let out = "";
    for (let i = 0; i < length; i++) {
      this.charge((i ? 1 : 0) + ELEMENT);
      this.step(i);
      out += (i ? "," : "") + this.value(value[i]);
      this.path.length--;
    }
    this.open.length--;
    return `[${out}]`;
  }

  special(value) {
    const kind = brand(value);
    switch (kind) {
      case undefined:
        return undefined;
      case "bytes": {
        const bytes = bytesOf(value);
        const length = typedLength(bytes);
        this.charge(length * 1.34 + 40);
        return `{"$type":"bytes","length":${length},"base64":"${base64(bytes, length)}"}`;
      }
      case "numbers":
        return this.items(value, typedLength(value));
      case "set": {
        const items = list();
        setEach(value, (item) => { items[items.length++] = item; });
        return this.items(items, items.length);
      }
      case "map":
        return this.map(value);
      default:
        return this.scalar(described(kind, summary(value, kind)));
    }
  }

  map(value) {
    const names = list(), members = list();
    let plain = true;
    mapEach(value, (member, name) => {
      if (typeof name !== "string") plain = false;
      names[names.length++] = name;
      members[members.length++] = member;
    });
    this.enter(value);
    let out = "";
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      this.step(plain ? name : i);
      this.charge(2 + (plain ? MEMBER : 3 * ELEMENT));
      const member = members[i];
      out += i ? "," : "";
      out += plain ? `${this.name(name)}:${this.value(member)}` : `[${this.value(name)},${this.value(member)}]`;
      this.path.length--;
    }
    this.open.length--;
    return plain ? `{${out}}` : `[${out}]`;
  }
}

const WIDEST = 10n ** 4000n;

// What a value is by its internal slots, whatever its prototype says; nothing for an ordinary object.
function brand(value) {
  const tag = typedTag(value);
  if (tag !== undefined) return tag === "Uint8Array" || tag === "Uint8ClampedArray" ? "bytes" : "numbers";
  try { bufferLength(value); return "bytes"; } catch {}
  try { viewLength(value); return "bytes"; } catch {}
  try { mapSize(value); return "map"; } catch {}
  try { setSize(value); return "set"; } catch {}
  try { dateTime(value); return "date"; } catch {}
  if (isError(value)) return "error";
  const tagged = objectToString(value);
  if (tagged === "[object RegExp]") return "regexp";
  if (tagged === "[object Promise]") return "promise";
  if (tagged === "[object WeakMap]" || tagged === "[object WeakSet]" || tagged === "[object WeakRef]") {
    return slice(tagged, 8, tagged.length - 1);
  }
  return undefined;
}

function bytesOf(value) {
  if (typedTag(value) !== undefined) return value;
  try { return new Bytes(viewBuffer(value), viewOffset(value), viewLength(value)); } catch {}
  return new Bytes(value);
}

function summary(value, kind) {
  switch (kind) {
    case "date": return isFinite(dateTime(value)) ? dateText(value) : "Invalid Date";
    case "error": { const e = facts(value); return e.name + (e.message ? `: ${e.message}` : ""); }
    case "regexp": try { return regexpText(value); } catch { return "/?/"; }
    default: return `[${kind}]`;
  }
}

function functionName(value) {
  const found = getOwnPropertyDescriptor(value, "name");
  const name = found && typeof found.value === "string" ? found.value : "";
  let source = "";
  try { source = functionToString(value); } catch {}
  const what = slice(source, 0, 6) === "class " || slice(source, 0, 6) === "class{" ? "class" : "function";
  return name ? `[${what} ${clip(name, 100)}]` : `[${what}]`;
}

// ---- in: JSON text becomes a value ------------------------------------------------------------------------------

// `wide` lists the integers that a number would round: pairs of a path and the digits.
function decode(text, wide) {
  let value = jsonParse(text);
  if (wide === "") return value;
  const found = jsonParse(wide);
  for (let i = 0; i < found.length; i++) {
    const path = found[i][0], exact = toBigInt(found[i][1]);
    if (path.length === 0) { value = exact; continue; }
    let holder = value;
    for (let j = 0; j < path.length - 1; j++) holder = holder[path[j]];
    defineProperty(holder, path[path.length - 1], { __proto__: null, value: exact, writable: true, enumerable: true, configurable: true });
  }
  return value;
}

