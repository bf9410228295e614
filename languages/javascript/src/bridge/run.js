// ---- the skill module -------------------------------------------------------------------------------------------

let params;

// `given` is the JSON of arguments that stand before those of the script.
function caller(index, name, given = "") {
  const wrapped = { [name](...values) {
    let count = values.length;
    while (count > 0 && values[count - 1] === undefined) count--;
    let text = given;
    for (let i = 0; i < count; i++) {
      let encoded;
      try {
        encoded = new Encoder(Infinity, 100).value(values[i]);
      } catch (error) {
        throw Stop.is(error) ? unsendable(name, i, error) : error;
      }
      text += (text ? "," : "") + encoded;
    }
    const answer = counter === undefined ? call(index, `[${text}]`, -1) : callCounted(index, `[${text}]`);
    const tag = answer[0];
    if (tag === "=") return decode(slice(answer, 1), "");
    if (tag === "+") { const parts = jsonParse(slice(answer, 1)); return decode(parts[0], parts[1]); }
    const { id, kind, message, help } = jsonParse(slice(answer, 1));
    throw new SkillError(kind, message, help, id);
  } }[name];
  return freeze(wrapped);
}

// What is called takes its operations from what this run has left, and the count goes on from there.
function callCounted(index, text) {
  const before = called();
  const answer = call(index, text, count());
  const more = called() - before;
  others += more;
  counter(more);
  return answer;
}

function unsendable(name, index, stop) {
  const why = stop.code === "depth" ? "is nested deeper than 100 levels"
    : stop.code === "text" ? "has a key with half a character (a lone surrogate), which JSON cannot hold"
    : `holds ${stop.detail}, which JSON cannot hold`;
  return new NativeTypeError(`argument ${index + 1} of skill.${name} ${why}`);
}

// `skill.session("a").get("x")` is `skill.session.get("a", "x")`: a name that is a function and a group at once gives the
// members of the group, with its answer as their first argument.
function opener(index, name, members) {
  const open = caller(index, name);
  const member = (holder, { at, key }, given) =>
    defineProperty(holder, key, { __proto__: null, value: caller(at, key, given), enumerable: true, configurable: true });
  const wrapped = { [name](...values) {
    const given = new Encoder(Infinity, 100).value(apply(open, undefined, values));
    const handle = create(null);
    for (let i = 0; i < members.length; i++) member(handle, members[i], given);
    return freeze(handle);
  } }[name];
  for (let i = 0; i < members.length; i++) member(wrapped, members[i]);
  return freeze(wrapped);
}

const skill = create(null);
defineProperty(skill, "params", { __proto__: null, get: () => params, enumerable: true });
defineProperty(skill, "Error", { __proto__: null, value: SkillError });

// Gives scripts the host's functions, which are known only when a session opens. Nothing of a script has run by then.
function offer(specs) {
  const functions = jsonParse(specs);
  const groups = create(null);
  for (let i = 0; i < functions.length; i++) {
    const parts = functions[i].name.split(".");
    if (parts.length > 1) (groups[parts[0]] ??= []).push({ at: i, key: parts[1] });
  }
  const show = (holder, key, value) => defineProperty(holder, key, { __proto__: null, value, enumerable: true, configurable: true });
  for (let i = 0; i < functions.length; i++) {
    const { name, global: isGlobal } = functions[i];
    const parts = name.split(".");
    if (parts.length === 1) {
      const fn = groups[name] ? opener(i, name, groups[name]) : caller(i, name);
      show(skill, name, fn);
      if (isGlobal) addGlobal(name, fn);
    } else if (!functions.some((other) => other.name === parts[0])) {
      if (skill[parts[0]] === undefined) show(skill, parts[0], create(null));
      show(skill[parts[0]], parts[1], caller(i, parts[1]));
    }
  }
  for (const name of ownKeys(skill)) if (typeof skill[name] === "object") freeze(skill[name]);
  freeze(skill);
  knowGlobals();
}

// ---- timers -----------------------------------------------------------------------------------------------------

let timers = list();
let lastTimer = 0;
function addTimer(fn, delay, repeats, values) {
  if (typeof fn !== "function") throw new NativeTypeError("the first argument must be a function");
  if (timers.length >= 10000) throw new NativeRangeError("too many timers");
  let wait = toNumber(delay);
  wait = wait > 0 && wait < 2 ** 31 ? wait : 0;
  const timer = { __proto__: null, id: ++lastTimer, due: now() + wait, every: repeats ? (wait < 1 ? 1 : wait) : -1, fn, values };
  timers[timers.length++] = timer;
  return timer.id;
}
function removeTimer(id) {
  const kept = list();
  for (let i = 0; i < timers.length; i++) if (timers[i].id !== id) kept[kept.length++] = timers[i];
  timers = kept;
}
// The timer whose function runs; it stays so where that had to be ended.
let ticking = 0;

// Runs the earliest timer that is due; says how many milliseconds until the next, or -1 where there is none.
function tick() {
  let next;
  for (let i = 0; i < timers.length; i++) {
    const timer = timers[i];
    if (next === undefined || timer.due < next.due || (timer.due === next.due && timer.id < next.id)) next = timer;
  }
  if (next === undefined) return -1;
  const wait = next.due - now();
  if (wait > 0) return wait;
  if (next.every < 0) removeTimer(next.id);
  else next.due = now() + next.every;
  ticking = next.id;
  try {
    apply(next.fn, undefined, next.values);
  } catch (error) {
    if (state === PENDING) finish(() => { throw error; });
    else if (conclude !== undefined) print(2, `Uncaught ${inspect(error, 2)}\n`);
  }
  ticking = 0;
  return 0;
}

// ---- running ----------------------------------------------------------------------------------------------------

const PENDING = 1, SETTLED = 2;
let state = 0, answer = "", limit = Infinity;
// How a value becomes an answer, where it is not simply encoded; and how many promises have been followed.
let conclude, turn = 0;

function finish(produce) {
  try {
    const value = produce();
    answer = conclude === undefined ? `=${new Encoder(limit, 100).value(value)}` : conclude(value);
  } catch (error) {
    answer = thrown(error);
  }
  state = SETTLED;
  return answer;
}

async function settle(value) {
  return await value;
}
async function later(main, calls) {
  let value = await main(skill, params, tools);
  if (calls && typeof value === "function") value = await value(params);
  return value;
}
function follow(promise) {
  state = PENDING;
  // A cell's promise may settle when the cell is over, and another one's is awaited.
  const mine = ++turn;
  then(promise, (value) => { if (mine === turn) finish(() => value); }, (error) => { if (mine === turn) finish(() => { throw error; }); });
  return "?";
}

// Makes ready for a cell, or for a question about the names of a living session: see `live/space.js`.
function begin(most, given, how) {
  counter = undefined;
  limit = most;
  params = given;
  state = 0;
  answer = "";
  indent = "";
  conclude = how;
  turn++;
}

// What an instrumented script calls, see `count.rs`: `exceeded` when a count passes its limit, and `counter` to hand over
// a function that adds to the count and tells it. What a script calls counts as its own, so that both end at one limit.
let counter, others = 0;
const countWith = (fn) => { counter = fn; others = 0; };
const tools = freeze({ __proto__: null, exceeded, counter: countWith });
const count = () => (counter === undefined ? -1 : counter(0) - others);

// How many calls of a small function the stack holds, for the failure of a script that filled it.
function depth() {
  let calls = 0;
  const deeper = () => { calls++; deeper(); };
  try { deeper(); } catch { /* the stack is full */ }
  return calls;
}

// Runs a compiled script. `mode`: 1 where it is asynchronous, 2 where its value is the function to call,
// 4 where code from strings is refused.
// Answers `=` and JSON, `!` and an error, or `?` where the value is still to come: then `poll` until it is there.
function run(main, mode, text, wide, most) {
  counter = undefined;
  allowCodegen((mode & 4) === 0);
  limit = most < 0 ? Infinity : most;
  params = decode(text, wide);
  state = 0;
  answer = "";
  indent = "";
  let value;
  try {
    if (mode & 1) return follow(later(main, (mode & 2) !== 0));
    value = main(skill, params, tools);
    if (mode & 2 && typeof value === "function") value = value(params);
  } catch (error) {
    return thrown(error);
  }
  if (typeof value === "object" && value !== null && objectToString(value) === "[object Promise]") return follow(settle(value));
  return finish(() => value);
}

const poll = () => (state === SETTLED ? answer : "?");
