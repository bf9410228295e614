// ---- the skill module -------------------------------------------------------------------------------------------

let params;

function caller(index, name) {
  const wrapped = { [name](...values) {
    let count = values.length;
    while (count > 0 && values[count - 1] === undefined) count--;
    let text = "";
    for (let i = 0; i < count; i++) {
      let encoded;
      try {
        encoded = new Encoder(Infinity, 100).value(values[i]);
      } catch (error) {
        throw Stop.is(error) ? unsendable(name, i, error) : error;
      }
      text += (i ? "," : "") + encoded;
    }
    const answer = call(index, `[${text}]`);
    const tag = answer[0];
    if (tag === "=") return decode(slice(answer, 1), "");
    if (tag === "+") { const parts = jsonParse(slice(answer, 1)); return decode(parts[0], parts[1]); }
    const { id, kind, message, help } = jsonParse(slice(answer, 1));
    throw new SkillError(kind, message, help, id);
  } }[name];
  return freeze(wrapped);
}

function unsendable(name, index, stop) {
  const why = stop.code === "depth" ? "is nested deeper than 100 levels" : `holds ${stop.detail}, which JSON cannot hold`;
  return new NativeTypeError(`argument ${index + 1} of skill.${name} ${why}`);
}

const skill = create(null);
const skillGlobals = create(null);
{
  const functions = jsonParse(specs);
  for (let i = 0; i < functions.length; i++) {
    const { name, global: isGlobal } = functions[i];
    const parts = name.split(".");
    const fn = caller(i, parts[parts.length - 1]);
    let holder = skill;
    for (let j = 0; j < parts.length - 1; j++) {
      const part = parts[j];
      // A name may be a function and a group at once (`log`, `log.warn`): the group's members hang on the function.
      if (holder[part] === undefined) defineProperty(holder, part, { __proto__: null, value: create(null), enumerable: true, configurable: true });
      holder = holder[part];
    }
    defineProperty(holder, parts[parts.length - 1], { __proto__: null, value: fn, enumerable: true, configurable: true });
    if (isGlobal && parts.length === 1) skillGlobals[name] = fn;
  }
  for (const name of ownKeys(skill)) if (typeof skill[name] === "object") freeze(skill[name]);
  defineProperty(skill, "params", { __proto__: null, get: () => params, enumerable: true });
  defineProperty(skill, "Error", { __proto__: null, value: SkillError });
  freeze(skill);
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
  try {
    apply(next.fn, undefined, next.values);
  } catch (error) {
    if (state === PENDING) finish(() => { throw error; });
  }
  return 0;
}

// ---- running ----------------------------------------------------------------------------------------------------

const PENDING = 1, SETTLED = 2;
let state = 0, answer = "", limit = Infinity;

function finish(produce) {
  try {
    answer = `=${new Encoder(limit, 100).value(produce())}`;
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
  then(promise, (value) => { finish(() => value); }, (error) => { finish(() => { throw error; }); });
  return "?";
}

// What an instrumented script calls, see `count.rs`: `exceeded` when a count passes its limit, and `counter` to hand over
// a function that tells the count.
let counter;
const tools = freeze({ __proto__: null, exceeded, counter: (fn) => { counter = fn; } });
const count = () => (counter === undefined ? -1 : counter());

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
