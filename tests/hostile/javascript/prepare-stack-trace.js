// about: the hook for stack traces is taken to get at the frames of the engine
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers

let seen = "denied";
try {
  Error.prepareStackTrace = (error, frames) => frames;
  const frames = new Error().stack;
  for (const frame of frames) {
    const found = frame.getThis?.() ?? frame.getFunction?.();
    if (found && found !== globalThis) seen = typeof found;
  }
} catch {}
seen
