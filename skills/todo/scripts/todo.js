// A list of tasks that a session keeps.
//
// Its functions work in a session by themselves: add("Call Ann #home !high due:2026-12-01"), done(1), list(), markdown().

const PRIORITIES = ["high", "normal", "low"];
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/u;

// Found again where this file is evaluated a second time in one session.
const todo = (globalThis.todo ??= { tasks: [], lastId: 0 });
const { tasks } = todo;

/** Adds a task. `#tag`, `!high`, `!low` and `due:2026-12-01` in its text are taken for what they say. */
function add(text) {
  const task = { id: todo.lastId + 1, text: "", done: false, priority: "normal", due: null, tags: [] };
  const words = String(text ?? "").split(/\s+/u).filter((word) => word !== "");
  task.text = words.filter((word) => !takes(task, word)).join(" ");
  if (task.text === "") throw new TypeError("a task needs a text");
  todo.lastId = task.id;
  tasks.push(task);
  return { ...task };
}

/** Whether a word says something about a task; then the task has it. */
function takes(task, word) {
  if (/^#[\p{L}\p{N}_-]+$/u.test(word)) {
    const tag = word.slice(1).toLowerCase();
    if (!task.tags.includes(tag)) task.tags.push(tag);
  } else if (word.startsWith("!") && PRIORITIES.includes(word.slice(1).toLowerCase())) {
    task.priority = word.slice(1).toLowerCase();
  } else if (word.toLowerCase().startsWith("due:")) {
    task.due = day(word.slice(4));
  } else {
    return false;
  }
  return true;
}

function day(text) {
  const moment = new Date(`${text}T00:00:00Z`);
  // A day that a month does not have becomes another one.
  if (!DATE.test(text) || Number.isNaN(moment.getTime()) || moment.toISOString().slice(0, 10) !== text) {
    throw new TypeError(`${JSON.stringify(text)} is no date: write it as 2026-12-01`);
  }
  return text;
}

/** The task of a number, or the only open one whose text has these words in it. */
function find(which) {
  if (Number.isInteger(Number(which)) && String(which ?? "") !== "") {
    const task = tasks.find(({ id }) => id === Number(which));
    if (task) return task;
    throw new RangeError(`there is no task ${which}${known()}`);
  }
  const words = String(which ?? "").toLowerCase();
  if (words === "") throw new TypeError("this action needs a task: its number, or words of its text");
  const matching = tasks.filter((task) => !task.done && task.text.toLowerCase().includes(words));
  if (matching.length === 1) return matching[0];
  const found = matching.map((task) => `${task.id} ${JSON.stringify(task.text)}`).join(", ");
  throw new RangeError(matching.length === 0 ? `no open task has ${JSON.stringify(which)} in it` : `several tasks match: ${found}`);
}

function known() {
  if (tasks.length === 0) return ": the list is empty";
  return `: there ${tasks.length === 1 ? "is" : "are"} ${tasks.map(({ id }) => id).join(", ")}`;
}

/** Ticks a task off. */
function done(which) {
  const task = find(which);
  task.done = true;
  return { ...task };
}

/** Opens a task again. */
function reopen(which) {
  const task = find(which);
  task.done = false;
  return { ...task };
}

/** Takes a task off the list. */
function remove(which) {
  const [task] = tasks.splice(tasks.indexOf(find(which)), 1);
  return task;
}

/** Gives a task another text, read as that of a new one. */
function edit(which, text) {
  const task = find(which);
  const before = todo.lastId;
  const { id, ...said } = add(text);
  tasks.pop();
  todo.lastId = before;
  return { ...Object.assign(task, { ...said, done: task.done }) };
}

/** Takes all that is ticked off from the list; gives how many. */
function clear() {
  const open = tasks.filter((task) => !task.done);
  return tasks.splice(0, tasks.length, ...open).length - open.length;
}

/** The tasks: open ones first, then by priority, day and number. */
function list({ tag, contains, all = true } = {}) {
  const order = (task) => [Number(task.done), PRIORITIES.indexOf(task.priority), task.due ?? "9999", task.id];
  return tasks
    .filter((task) => all || !task.done)
    .filter((task) => tag == null || task.tags.includes(String(tag).replace(/^#/u, "").toLowerCase()))
    .filter((task) => contains == null || task.text.toLowerCase().includes(String(contains).toLowerCase()))
    .map((task) => ({ ...task, tags: [...task.tags] }))
    .sort((a, b) => {
      const [left, right] = [order(a), order(b)];
      const at = left.findIndex((value, index) => value !== right[index]);
      return at < 0 ? 0 : left[at] < right[at] ? -1 : 1;
    });
}

/** The tasks as a checklist. */
function markdown(options) {
  const line = (task) => {
    const marks = [task.priority === "normal" ? "" : `!${task.priority}`, ...task.tags.map((tag) => `#${tag}`), task.due ? `due:${task.due}` : ""];
    return `- [${task.done ? "x" : " "}] ${[`${task.id}. ${task.text}`, ...marks.filter((mark) => mark !== "")].join(" ")}`;
  };
  const lines = list(options).map(line);
  return lines.length === 0 ? "Nothing to do." : lines.join("\n");
}

function run({ action, text, task, tag, open_only, format }) {
  const options = { tag, contains: action === "list" ? text : null, all: !open_only };
  switch (action) {
    case "add": return add(text);
    case "done": return done(task ?? text);
    case "reopen": return reopen(task);
    case "remove": return remove(task ?? text);
    case "edit": return edit(task, text);
    case "clear": return { cleared: clear(), left: tasks.length };
    default: return format === "markdown" ? markdown(options) : list(options);
  }
}
