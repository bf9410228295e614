// ---- files of the skill that a script imports -------------------------------------------------------------------

// Gives what a script that imports files of its skill is run by, in place of its own function: it evaluates them first. `text`
// says, for the script and each file, what comes before it, what the names that it imports stand for, and what it exports:
// see `modules.rs`. `mains` are their functions. Everything is new for each run, but in a session that lives, where a file that
// has a `key` is evaluated once.
const lasting = create(null);
function linked(text, ...mains) {
  const { units, counts, most, deepest, asynchronous } = jsonParse(text);
  return (skill, params, given) => {
    let tools = given;
    if (counts) {
      tools = { __proto__: null, exceeded, operations: 0, most: most ?? Infinity, depth: 0, deepest: deepest ?? Infinity };
      if (most !== null) counter = (more) => (tools.operations += more);
      others = 0;
    }
    const cells = list(), spaces = list(), ways = list(), begun = list();
    const reach = (at, name) => name === null ? () => spaces[at] : () => {
      if (cells[at] === undefined) throw new NativeTypeError(`${name} is not there yet: files import one another in a circle`);
      return cells[at][name]();
    };
    const show = (holder, names) => {
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        defineProperty(holder, name[0], { __proto__: null, get: reach(name[1], name[2]), enumerable: true });
      }
      return holder;
    };
    for (let i = 0; i < units.length; i++) {
      spaces[i] = freeze(show(create(null), units[i].exports));
      ways[i] = show(create(null), units[i].imports);
      const key = units[i].key;
      if (key && lasting[key]) {
        cells[i] = lasting[key];
        begun[i] = true;
      }
      defineProperty(ways[i], "=", { __proto__: null, value: (own) => { cells[i] = own; } });
    }
    const done = (at, value) => {
      if (units[at].key) lasting[units[at].key] = cells[at];
      return value;
    };
    const start = (at) => {
      begun[at] = true;
      const before = units[at].before;
      for (let i = 0; i < before.length; i++) if (!begun[before[i]]) start(before[i]);
      return done(at, mains[at](skill, params, tools, ways[at]));
    };
    const startLater = async (at) => {
      begun[at] = true;
      const before = units[at].before;
      for (let i = 0; i < before.length; i++) if (!begun[before[i]]) await startLater(before[i]);
      return done(at, await mains[at](skill, params, tools, ways[at]));
    };
    return asynchronous ? startLater(0) : start(0);
  };
}

