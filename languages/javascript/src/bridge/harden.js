// The last part of the bridge, in the same function: what of the engine's globals a script sees, and how a run that
// tampered with them is found out.

const ALLOWED = (
  "Object Function Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError " +
  "SuppressedError Iterator Array parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI " +
  "encodeURIComponent escape unescape Infinity NaN undefined eval Number Boolean String Math Reflect Symbol " +
  "DisposableStack AsyncDisposableStack globalThis BigInt Date RegExp JSON Proxy Map Set WeakMap WeakSet WeakRef " +
  "ArrayBuffer Uint8ClampedArray Int8Array Uint8Array Int16Array Uint16Array Int32Array Uint32Array BigInt64Array " +
  "BigUint64Array Float16Array Float32Array Float64Array DataView Promise"
).split(" ");

// Everything else goes: `Deno`, WebAssembly (memory that no limit counts), SharedArrayBuffer and Atomics (a wait that no
// deadline ends), FinalizationRegistry (a callback of one run that fires in the next), Intl and Temporal (stand-ins on
// QuickJS that give wrong answers), and the engine's own helpers.
for (const name of ownKeys(global)) {
  if (typeof name !== "string" || ALLOWED.includes(name)) continue;
  if (!deleteProperty(global, name)) defineProperty(global, name, { value: undefined, writable: false });
}
delete Date.prototype.toTemporalInstant;

const isCallable = (value) => typeof value === "function";
function named(fn, name, length) {
  defineProperty(fn, "name", { value: name, configurable: true });
  defineProperty(fn, "length", { value: length, configurable: true });
  return fn;
}

// ---- the stack of an error --------------------------------------------------------------------------------------

// A script that sets Error.prepareStackTrace would run in the middle of the engine's error handling, and could forge
// frames. The engine reads an internal slot that only this accessor's setter writes, so without it the slot stays empty.
if (getOwnPropertyDescriptor(NativeError, "prepareStackTrace")) {
  defineProperty(NativeError, "prepareStackTrace", { value: undefined, writable: false, enumerable: false, configurable: true });
}

// ---- native loops over a length ---------------------------------------------------------------------------------

// The engine can be interrupted in a script's loops and calls but not inside one of its own functions, and these go
// from 0 to `length` without looking at anything that takes memory: `new Array(1e9) + ''` would run past any deadline.
const LONGEST_ARRAY = 10000000;
const LOOPING = [
  "join", "toLocaleString", "indexOf", "lastIndexOf", "includes", "fill", "reverse", "sort", "copyWithin", "slice", "splice",
  "concat", "flat", "flatMap", "map", "filter", "forEach", "reduce", "reduceRight", "some", "every", "find", "findIndex",
  "findLast", "findLastIndex", "toReversed", "toSorted", "toSpliced", "with",
];
function refuseLength(length) {
  throw new NativeRangeError(`an array of ${length} elements is too long to work on: at most ${LONGEST_ARRAY}`);
}
const arrayPrototype = Array.prototype;
for (const name of LOOPING) {
  const original = arrayPrototype[name];
  if (!isCallable(original)) continue;
  const guarded = { [name](...values) {
    const length = this.length;
    if (length > LONGEST_ARRAY) refuseLength(length);
    return apply(original, this, values);
  } }[name];
  defineProperty(arrayPrototype, name, { value: named(guarded, name, original.length), writable: true, enumerable: false, configurable: true });
}
const originalFrom = Array.from;
defineProperty(Array, "from", { value: named({ from(source, ...rest) {
  if (source !== null && source !== undefined && source.length > LONGEST_ARRAY) refuseLength(source.length);
  return apply(originalFrom, this, [source, ...rest]);
} }.from, "from", 1), writable: true, enumerable: false, configurable: true });

// ---- code from strings ------------------------------------------------------------------------------------------

// Code made from a string is not instrumented, so it would escape the count of operations and of nested calls: where one
// of these is limited, `eval` and the Function constructors refuse. Otherwise they work; there is nothing they reach.
let codegen = true;
const REFUSED = "code from strings is not allowed where operations or recursion are limited";
const { EvalError: NativeEvalError } = global;
const construct = Reflect.construct;
const functionKinds = [
  Function, getPrototypeOf(async function () {}).constructor, getPrototypeOf(function* () {}).constructor,
  getPrototypeOf(async function* () {}).constructor,
];
for (const Original of functionKinds) {
  const name = Original.name;
  const Wrapper = { [name]: function (...values) {
    if (!codegen) throw new NativeEvalError(REFUSED);
    return construct(Original, values, new.target === undefined || new.target === Wrapper ? Original : new.target);
  } }[name];
  defineProperty(Wrapper, "prototype", { value: Original.prototype, writable: false, enumerable: false, configurable: false });
  named(Wrapper, name, 1);
  defineProperty(Original.prototype, "constructor", { value: Wrapper, writable: false, enumerable: false, configurable: true });
  if (name === "Function") defineProperty(global, "Function", { value: Wrapper, writable: true, enumerable: false, configurable: true });
}
const refusedEval = named(() => { throw new NativeEvalError(REFUSED); }, "eval", 1);
function allowCodegen(allowed) {
  if (codegen === allowed) return;
  codegen = allowed;
  defineProperty(global, "eval", { __proto__: null, value: allowed ? nativeEval : refusedEval, writable: false, enumerable: false, configurable: true });
}
defineProperty(global, "eval", { value: nativeEval, writable: false, enumerable: false, configurable: true });

// ---- what a script gets in addition -----------------------------------------------------------------------------

const additions = {
  console: create(null),
  setTimeout: (fn, delay, ...values) => addTimer(fn, delay, false, values),
  setInterval: (fn, delay, ...values) => addTimer(fn, delay, true, values),
  clearTimeout: (id) => removeTimer(id),
  clearInterval: (id) => removeTimer(id),
  queueMicrotask: (fn) => {
    if (!isCallable(fn)) throw new NativeTypeError("the argument must be a function");
    then(settle(undefined), () => { fn(); });
  },
  structuredClone: (value) => clone(value),
  TextEncoder, TextDecoder,
  skill,
};
for (const name of ownKeys(consoleMethods)) additions.console[name] = freeze(named(consoleMethods[name], name, 0));
freeze(additions.console);
function addGlobal(name, value) {
  defineProperty(global, name, { value: isCallable(value) ? freeze(named(value, name, value.length)) : value, writable: false, enumerable: false, configurable: false });
}
for (const name of ownKeys(additions)) addGlobal(name, additions[name]);
defineProperty(additions.skill.Error, "name", { value: "SkillError", configurable: true });

// ---- nothing of one run is seen by the next ---------------------------------------------------------------------

// Constructors, their static functions and every built-in method are frozen: a script has no honest reason to change
// them. The prototypes are not, because freezing them breaks honest code (`this.name = …` in a subclass of Error): they
// are compared after a run instead, and a session in which one differs is not used again.
const watched = [];
const seen = new Set();
function watch(object) {
  if (object === null || object === undefined || seen.has(object) || (typeof object !== "object" && !isCallable(object))) return;
  seen.add(object);
  const names = ownKeys(object);
  for (const name of names) {
    const found = getOwnPropertyDescriptor(object, name);
    for (const value of [found.value, found.get, found.set]) if (isCallable(value) && value !== object) {
      if (value.prototype && typeof value.prototype === "object") watch(value.prototype);
      if (isCallable(object) || name !== "constructor") freeze(value);
    }
  }
  if (isCallable(object)) {
    freeze(object);
    return;
  }
  watched.push(object);
}
for (const name of ALLOWED) {
  const value = global[name];
  if (isCallable(value)) {
    watch(value.prototype);
    watch(value);
  } else if (typeof value === "object" && value !== null && value !== global) {
    for (const key of ownKeys(value)) if (isCallable(value[key])) freeze(value[key]);
    freeze(value);
  }
  const found = getOwnPropertyDescriptor(global, name);
  if (name !== "eval" && found && found.configurable) {
    defineProperty(global, name, { value, writable: false, enumerable: false, configurable: false });
  }
}
for (const object of [
  typedPrototype, getPrototypeOf([][Symbol.iterator]()), getPrototypeOf(new Map()[Symbol.iterator]()),
  getPrototypeOf(new Set()[Symbol.iterator]()), getPrototypeOf(""[Symbol.iterator]()),
  getPrototypeOf("".matchAll(/x/g)), getPrototypeOf(function* () {}), getPrototypeOf(function* () {}).prototype,
  getPrototypeOf(async function* () {}), getPrototypeOf(async function* () {}).prototype,
  getPrototypeOf(getPrototypeOf(async function* () {}).prototype), getPrototypeOf(async function () {}), SkillError.prototype,
  TextEncoder.prototype, TextDecoder.prototype, NativeFunction.prototype, getPrototypeOf(typedPrototype.constructor),
]) watch(object);
freeze(SkillError);

// One flat table, so that the comparison is a plain loop: object, number of keys, then its values.
//
// Each property is fixed in its place: it can be given another value, where it has one, but not be taken away or become
// another kind of property. So its value can be read without meeting a script's code, and an accessor need not be looked at.
const { isExtensible } = Object;
const baseline = list();
for (const object of watched) {
  const names = ownKeys(object);
  baseline[baseline.length++] = { __proto__: null, object, count: names.length, parent: getPrototypeOf(object), entries: list() };
  const entries = baseline[baseline.length - 1].entries;
  for (const name of names) {
    defineProperty(object, name, { __proto__: null, configurable: false });
    const { value, writable } = getOwnPropertyDescriptor(object, name);
    if (writable) entries[entries.length++] = { __proto__: null, name, value };
  }
}
let globalNames;
const knownGlobals = new Set();
const isKnown = uncurry(Set.prototype.has);
function knowGlobals() {
  globalNames = ownKeys(global);
  for (let i = 0; i < globalNames.length; i++) setAdd(knownGlobals, globalNames[i]);
}

// Whether the last run left the world as it was, or an error where it did not; takes away what it added to the global object.
function unharmed() {
  for (let i = 0; i < baseline.length; i++) {
    const { object, count, parent, entries } = baseline[i];
    if (ownKeys(object).length !== count || getPrototypeOf(object) !== parent || !isExtensible(object)) return false;
    for (let j = 0; j < entries.length; j++) {
      const { name, value } = entries[j];
      if (object[name] !== value) return false;
      // What can no longer be written throws here.
      object[name] = value;
    }
  }
  const names = ownKeys(global);
  if (names.length === globalNames.length) return true;
  for (let i = 0; i < names.length; i++) if (!isKnown(knownGlobals, names[i]) && !deleteProperty(global, names[i])) return false;
  return ownKeys(global).length === globalNames.length;
}

// Forgets what the last run left behind: its parameters and the timers that it did not wait for.
function finished() {
  params = undefined;
  timers = list();
  ticking = 0;
  state = 0;
  answer = "";
  indent = "";
}

// Forgets what a cell left behind, but for its timers. One that had to be stopped does not come again.
function rested() {
  if (ticking) removeTimer(ticking);
  ticking = 0;
  params = undefined;
  answer = "";
  indent = "";
}

// What a living session is made with: see `live/space.js`. It is made when a session is asked for its first cell.
const core = () => ({
  __proto__: null,
  uncurry, jsonParse, jsonStringify, isArray, isFinite, ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty,
  deleteProperty, apply, construct, keys, freeze, create, objectPrototype, functionToString, slice, charCode, repeat,
  bigintText, symbolText, list, quote, clip, described, Encoder, Stop, facts, thrown, global, skill, exceeded, decode,
  begin, follow, settle, finish, allowCodegen, isKnown, knownGlobals, print, typedTag, typedLength, bufferLength,
  viewBuffer, viewOffset, viewLength, mapSize, setSize, mapEach, setEach, mapPut, mapGet, mapHas, setAdd, dateTime, dateText,
  regexpSource, regexpFlags, weakGet, weakSet, weakHas, fromCharCode, toBigInt, isError, plainName, WIDEST, bytesOf,
  typedSet, countWith, count, changed: baseline, pendingTimers: () => timers.length,
});

// The names of the global object that no cell can declare as they are, as JSON.
function fixed() {
  let out = "";
  for (let i = 0; i < globalNames.length; i++) {
    const name = globalNames[i];
    if (typeof name === "string" && !getOwnPropertyDescriptor(global, name).configurable) out += (out ? "," : "") + quote(name);
  }
  return `[${out}]`;
}

return { offer, linked, run, poll, tick, count, depth, unharmed, finished, rested, core, fixed };
