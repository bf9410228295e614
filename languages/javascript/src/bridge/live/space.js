// A living session: cells whose names stay. It is compiled when a session evaluates its first cell, as the body of a
// function of `core`, what the bridge shares, `nature` and `settled`, which tell what the language does not (proxies,
// promises), `define`, which knows the sources of cells, and `encoded`, which gives bytes as base64.
//
// Names are properties of the global object. A session that has begun to live serves no run any more, so what its cells
// change is theirs; what is needed here was taken before.
"use strict";

const {
  uncurry, jsonParse, jsonStringify, isArray, isFinite, ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty,
  deleteProperty, apply, construct, keys, freeze, create, objectPrototype, functionToString, slice, charCode, repeat, bigintText,
  symbolText, list, quote, clip, described, Encoder, Stop, facts, thrown, global, skill, exceeded, decode,
  begin, follow, settle, finish, allowCodegen, isKnown, knownGlobals, print, typedTag, typedLength, bufferLength,
  viewBuffer, viewOffset, viewLength, mapSize, setSize, mapEach, setEach, mapPut, mapGet, mapHas, setAdd, dateTime, dateText, regexpSource,
  regexpFlags, weakGet, weakSet, weakHas, fromCharCode, toBigInt, isError, plainName, WIDEST, bytesOf, typedSet, countWith, count, changed,
  pendingTimers,
} = core;

const hidden = (value) => ({ __proto__: null, value, writable: true, enumerable: false, configurable: true });
const open = (value) => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true });

// ---- names ------------------------------------------------------------------------------------------------------

// What stands at the end of a name that a cell has declared although the global object has it for good.
const MARK = "\u200d";
const plain = (name) => (name[name.length - 1] === MARK ? slice(name, 0, name.length - 1) : name);

// Whether a cell has declared `_`, which is then its own.
let ownLast = false;

function declareOne(name) {
  if (name === "_") ownLast = true;
  const found = getOwnPropertyDescriptor(global, name);
  if (found !== undefined && found.writable && found.enumerable) return;
  defineProperty(global, name, open(found === undefined ? undefined : found.value));
}

// What a cell's text calls, under a name that it cannot write: see `declare.rs` and `count.rs`.
const tools = {
  __proto__: null,
  operations: 0, most: Infinity, depth: 0, deepest: Infinity,
  exceeded,
  declare(names) { for (let i = 0; i < names.length; i++) declareOne(names[i]); },
  put(name, called, fn) {
    if (name === "_") ownLast = true;
    defineProperty(global, name, open(tools.named(fn, called)));
  },
  seal(names) {
    for (let i = 0; i < names.length; i++) {
      const found = getOwnPropertyDescriptor(global, names[i]);
      if (found !== undefined && found.configurable) defineProperty(global, names[i], { __proto__: null, writable: false });
    }
  },
  // A function that was given its name by an assignment has the one that it was written with.
  unmark(names) {
    for (let i = 0; i < names.length; i++) {
      const found = getOwnPropertyDescriptor(global, names[i]);
      if (found === undefined || typeof found.value !== "function" || nature(found.value) === 1) continue;
      const own = getOwnPropertyDescriptor(found.value, "name");
      if (own !== undefined && own.value === names[i]) tools.named(found.value, plain(names[i]));
    }
  },
  named(fn, name) {
    defineProperty(fn, "name", { __proto__: null, value: name, writable: false, enumerable: false, configurable: true });
    return fn;
  },
};

// ---- evaluation -------------------------------------------------------------------------------------------------

// The functions of skills, by the number of their source.
const skills = create(null);
// A promise that is the value of a cell which does not await it.
let waitingFor;

function remember(value) {
  if (value !== undefined && !ownLast) defineProperty(global, "_", hidden(value));
}

// What is answered for a cell: its value, as JSON or described, and how it is shown.
function answerOf(most, value) {
  if (value === undefined) return '={"value":null}';
  remember(value);
  let json;
  try {
    json = new Encoder(most, 100).value(value);
  } catch {
    json = described(typeName(value), display(value, { __proto__: null, line: true, most: 400 }).text);
  }
  return `={"value":${json},"shown":${shown(value)}}`;
}

// `mode`: 1 where it is asynchronous, 2 where its value is the function to call, 4 where code from strings is refused,
// 8 where it is a cell of its own, whose value is shown. `key` is the number of a skill's source, or -1.
// Answers as `run` does.
function evaluate(main, mode, key, text, wide, most, operations, recursion) {
  tools.operations = 0;
  tools.depth = 0;
  tools.most = operations < 0 ? Infinity : operations;
  tools.deepest = recursion < 0 ? Infinity : recursion;
  allowCodegen((mode & 4) === 0);
  waitingFor = undefined;
  const bound = most < 0 ? Infinity : most;
  const given = decode(text, wide);
  begin(bound, given, (mode & 8) !== 0 ? (value) => answerOf(bound, value) : undefined);
  if (operations >= 0) countWith((more) => tools.operations += more);
  let value;
  try {
    if (mode & 8) {
      value = main(skill, undefined, tools);
    } else {
      defineProperty(global, "params", hidden(given));
      if (main !== undefined) value = main(skill, undefined, tools);
      else value = skills[key];
    }
    if (mode & 1 && main !== undefined) {
      if ((mode & 2) === 0) return follow(value);
      return follow(later(value, key, given));
    }
    if (mode & 2) {
      skills[key] = value;
      if (typeof value === "function") value = value(given);
    }
  } catch (error) {
    return thrown(error);
  }
  if (typeof value === "object" && value !== null && nature(value) >= 2) {
    if (mode & 8) waitingFor = value;
    return follow(settle(value));
  }
  return finish(() => value);
}

async function later(made, key, given) {
  const fn = await made;
  skills[key] = fn;
  return typeof fn === "function" ? await fn(given) : fn;
}

// The answer of a cell whose value is a promise that nothing settles: the promise itself. `!` where it is no such cell.
function unsettled() {
  const promise = waitingFor;
  if (promise === undefined) return "!";
  begin(Infinity, undefined, undefined);
  waitingFor = undefined;
  return answerOf(Infinity, promise);
}

const operations = () => count();

// ---- variables --------------------------------------------------------------------------------------------------

function isVariable(name) {
  return typeof name === "string" && !isKnown(knownGlobals, name) && !isGiven(name);
}

// The last value and the parameters of the last skill, unless a cell has declared a variable of that name.
function isGiven(name) {
  return (name === "_" || name === "params") && !getOwnPropertyDescriptor(global, name).enumerable;
}

function variables() {
  const names = ownKeys(global);
  let out = "";
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (!isVariable(name)) continue;
    const found = getOwnPropertyDescriptor(global, name);
    const value = found.value;
    const text = "value" in found ? display(value, { __proto__: null, line: true, most: 300, depth: 1 }).text : "[Getter]";
    const size = typeof value === "string" ? value.length : bufferSize(value);
    out += `${out ? "," : ""}{"name":${quote(plain(name))},"kind":"${nameKind(value)}","type_name":${quote(typeName(value))},"shown":${quote(text)},"size":${size}}`;
  }
  return `[${out}]`;
}

function bufferSize(value) {
  if (typeof value !== "object" || value === null || nature(value) !== 0) return "null";
  try { return `${bufferLength(value)}`; } catch {}
  try { return `${bufferLength(typedBuffer(value))}`; } catch {}
  return "null";
}

function nameKind(value) {
  if (typeof value !== "function") return "value";
  return isClass(value) ? "class" : "function";
}

function isClass(value) {
  if (nature(value) === 1) return false;
  let source = "";
  try { source = functionToString(value); } catch {}
  if (source[0] !== "c" || slice(source, 0, 5) !== "class") return false;
  const next = source[5];
  return next === " " || next === "{" || next === "\n" || next === "\t" || next === "\r" || next === "/";
}

// The property that a name stands for: what a cell declared in front of what has the name for good.
function property(name) {
  const own = getOwnPropertyDescriptor(global, name + MARK);
  return own === undefined ? getOwnPropertyDescriptor(global, name) : own;
}

// The value of a variable, as a result is encoded; `?` where there is none.
function get(name, most) {
  const found = property(name);
  if (found === undefined || (isKnown(knownGlobals, name) && getOwnPropertyDescriptor(global, name + MARK) === undefined)) return "?";
  begin(most < 0 ? Infinity : most, undefined, undefined);
  return finish(() => ("value" in found ? found.value : apply(found.get, global, [])));
}

// Gives a variable a value; `!` where the name is one that every script finds.
function set(name, text, wide) {
  if (isKnown(knownGlobals, name) || isGiven(name)) return "!";
  if (plain(name) === "_") ownLast = true;
  begin(Infinity, undefined, undefined);
  try {
    defineProperty(global, name, open(decode(text, wide)));
    return "=";
  } catch (error) {
    return thrown(error);
  }
}
