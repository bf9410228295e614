// ---- errors -----------------------------------------------------------------------------------------------------

const failures = new NativeWeakMap();

class SkillError extends NativeError {
  constructor(kind, message, help, id) {
    super(message);
    const put = (name, value) => defineProperty(this, name, { __proto__: null, value, writable: true, configurable: true });
    put("name", "SkillError");
    put("kind", kind);
    if (help) put("help", help);
    weakSet(failures, this, id);
  }
}

// Reads an error without trusting it: getters may throw, run for ever (the clock ends that) or lie.
function facts(error) {
  const read = (name) => {
    try {
      const value = error[name];
      return typeof value === "string" ? value : "";
    } catch { return ""; }
  };
  return { name: read("name") || "Error", message: clip(read("message"), 10000), stack: clip(read("stack"), 20000) };
}

// What became of a run that threw: `!` and what the host needs to make a failure of it.
function thrown(error) {
  if (Stop.is(error)) return `!{"stop":${quote(error.code)},"detail":${quote(`${error.detail}`)},"path":${error.path || "[]"}}`;
  const object = typeof error === "object" && error !== null;
  if (object && isError(error)) {
    const { name, message, stack } = facts(error);
    const id = weakHas(failures, error) ? weakGet(failures, error) : -1;
    const deep = (name === "RangeError" || name === "InternalError")
      && (message === "Maximum call stack size exceeded" || message === "stack overflow");
    return `!{"name":${quote(name)},"message":${quote(message)},"stack":${quote(stack)},"id":${id},"deep":${deep}}`;
  }
  let shown;
  try { shown = typeof error === "string" ? error : inspect(error, 2); } catch { shown = "a value that cannot be shown"; }
  return `!{"thrown":${quote(clip(shown, 2000))}}`;
}

