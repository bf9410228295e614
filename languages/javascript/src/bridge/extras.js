// TextEncoder, TextDecoder and structuredClone, which scripts expect and the engine's core lacks. The middle part of the
// bridge, in the same function.

const { Map: NativeMap, Set: NativeSet, Date: NativeDate, RegExp: NativeRegExp, Array: NativeArray, ArrayBuffer: NativeBuffer } = global;
const mapPut = uncurry(NativeMap.prototype.set);
const mapGet = uncurry(NativeMap.prototype.get);
const mapHas = uncurry(NativeMap.prototype.has);
const setAdd = uncurry(NativeSet.prototype.add);
const regexpSource = uncurry(getOwnPropertyDescriptor(NativeRegExp.prototype, "source").get);
const regexpFlags = uncurry(getOwnPropertyDescriptor(NativeRegExp.prototype, "flags").get);
const typedSet = uncurry(typedPrototype.set);
const bufferSlice = uncurry(NativeBuffer.prototype.slice);

function utf8(text) {
  const source = toWellFormed(text);
  let size = 0;
  for (let i = 0; i < source.length; i++) {
    const c = charCode(source, i);
    if (c >= 0xd800 && c < 0xdc00) { size += 4; i++; } else size += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
  }
  const out = new Bytes(size);
  let at = 0;
  for (let i = 0; i < source.length; i++) {
    let c = charCode(source, i);
    if (c >= 0xd800 && c < 0xdc00) c = 0x10000 + ((c - 0xd800) << 10) + (charCode(source, ++i) - 0xdc00);
    if (c < 0x80) out[at++] = c;
    else {
      const more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
      out[at++] = [0, 0xc0, 0xe0, 0xf0][more] | (c >> (6 * more));
      for (let k = more - 1; k >= 0; k--) out[at++] = 0x80 | ((c >> (6 * k)) & 63);
    }
  }
  return out;
}

// Decodes UTF-8; what is not UTF-8 becomes U+FFFD, or an error where `fatal`.
function fromUtf8(bytes, length, fatal) {
  let out = "";
  const bad = () => {
    if (fatal) throw new NativeTypeError("the bytes are not valid UTF-8");
    out += "\ufffd";
  };
  for (let i = 0; i < length; ) {
    const a = bytes[i++];
    if (a < 0x80) { out += fromCharCode(a); continue; }
    const more = a >= 0xc2 && a < 0xe0 ? 1 : a >= 0xe0 && a < 0xf0 ? 2 : a >= 0xf0 && a < 0xf5 ? 3 : 0;
    if (more === 0) { bad(); continue; }
    let c = a & (0x3f >> more), k = 0;
    for (; k < more && i < length; k++) {
      const b = bytes[i];
      const least = k > 0 ? 0x80 : a === 0xe0 ? 0xa0 : a === 0xf0 ? 0x90 : 0x80;
      const most = k > 0 ? 0xbf : a === 0xed ? 0x9f : a === 0xf4 ? 0x8f : 0xbf;
      if (b < least || b > most) break;
      c = (c << 6) | (b & 63);
      i++;
    }
    if (k < more) bad();
    else if (c < 0x10000) out += fromCharCode(c);
    else out += fromCharCode(0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
  }
  return out;
}

class TextEncoder {
  get encoding() { return "utf-8"; }
  encode(text = "") { return utf8(`${text}`); }
}

class TextDecoder {
  #fatal;
  #keepMark;
  constructor(label = "utf-8", options = {}) {
    if (`${label}` !== "utf-8" && `${label}` !== "utf8" && `${label}` !== "UTF-8") {
      throw new NativeRangeError("TextDecoder decodes utf-8 only");
    }
    this.#fatal = !!options.fatal;
    this.#keepMark = !!options.ignoreBOM;
  }
  get encoding() { return "utf-8"; }
  get fatal() { return this.#fatal; }
  decode(source) {
    if (source === undefined) return "";
    const kind = typeof source === "object" && source !== null ? brand(source) : undefined;
    if (kind !== "bytes") throw new NativeTypeError("TextDecoder.decode needs an ArrayBuffer, a DataView or a Uint8Array");
    const bytes = bytesOf(source);
    const text = fromUtf8(bytes, typedLength(bytes), this.#fatal);
    return !this.#keepMark && text.length && charCode(text, 0) === 0xfeff ? slice(text, 1) : text;
  }
}

function clone(root) {
  const done = new NativeMap();
  const copy = (value) => {
    if (typeof value === "function" || typeof value === "symbol") throw new NativeTypeError(`${functionOrSymbol(value)} cannot be cloned`);
    if (typeof value !== "object" || value === null) return value;
    if (mapHas(done, value)) return mapGet(done, value);
    const kind = isArray(value) ? "array" : brand(value);
    const keep = (made) => { mapPut(done, value, made); return made; };
    const put = (holder, name, member) => defineProperty(holder, name, { __proto__: null, value: member, writable: true, enumerable: true, configurable: true });
    switch (kind) {
      case "date": return keep(new NativeDate(dateTime(value)));
      case "regexp": return keep(new NativeRegExp(regexpSource(value), regexpFlags(value)));
      case "map": { const made = keep(new NativeMap()); mapEach(value, (member, name) => { mapPut(made, copy(name), copy(member)); }); return made; }
      case "set": { const made = keep(new NativeSet()); setEach(value, (member) => { setAdd(made, copy(member)); }); return made; }
      case "bytes": case "numbers": {
        const tag = typedTag(value);
        if (tag !== undefined) { const made = keep(new global[tag](typedLength(value))); typedSet(made, value); return made; }
        let length = -1;
        try { length = bufferLength(value); } catch {}
        if (length >= 0) return keep(bufferSlice(value, 0, length));
        throw new NativeTypeError("a DataView cannot be cloned");
      }
      case "error": { const e = facts(value); const made = keep(new NativeError(e.message)); put(made, "name", e.name); return made; }
      case undefined: case "array": break;
      default: throw new NativeTypeError(`a ${kind} cannot be cloned`);
    }
    const made = keep(kind === "array" ? new NativeArray(value.length) : {});
    const names = keys(value);
    for (let i = 0; i < names.length; i++) put(made, names[i], copy(value[names[i]]));
    return made;
  };
  return copy(root);
}
const functionOrSymbol = (value) => (typeof value === "function" ? functionName(value) : symbolText(value));
