//! Counting operations and nested calls, through CPython's C trace function.
//!
//! It is set only in a run that limits operations or recursion; otherwise a script runs as fast as ever.
//!
//! What counts is the script's own code: its file, the modules beside it, and what it hands to `exec` or `eval`, but not the
//! standard library or installed packages. One operation is
//! - a call of a function of the script's own (a generator counts each time it is resumed), or
//! - a jump back to where a loop begins, in a loop or a comprehension.
//!
//! Straight code, calls of built-in functions and loops inside them (`sum(range(n))`) count nothing. None of it depends
//! on the machine: the same script with the same parameters stops at the same count, unless it asks for the time, for chance or
//! for threads.
//!
//! A jump back shows in trace events as a line event whose line is that of the event before it, or whose instruction
//! is not behind it. The one loop without line events, an instruction that jumps to itself, has instruction events.

use crate::run::Run;
use crate::runtime::Runtime;
use crate::{memory, process};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use skills_core::{Breach, LimitName};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// `CO_OPTIMIZED`: the code of a function, rather than of a module, a class body, or `exec`.
const FUNCTION: i64 = 1;

/// One frame of the call stack.
struct Level {
    frame: *mut ffi::PyFrameObject,
    /// The instruction and the line of the last line event; -1 before the first.
    instruction: c_int,
    line: c_int,
    /// The instruction of the last instruction event, in the frames that have them.
    single: c_int,
    ours: bool,
    function: bool,
}

/// What a code object is.
#[derive(Clone, Copy)]
struct Kind {
    origin: Origin,
    function: bool,
    /// Whether it holds a loop of a single instruction (`while True: pass`), which has no line events.
    spins: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Script,
    Library,
    /// Without a file: it belongs to whoever calls it.
    Caller,
}

struct State {
    run: Arc<Run>,
    levels: Vec<Level>,
    depth: u64,
    /// The code objects met so far, kept alive so that their addresses stay theirs.
    kinds: HashMap<usize, (Py<PyAny>, Kind)>,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
    /// Set while the engine itself changes the trace function.
    static SWITCHING: Cell<bool> = const { Cell::new(false) };
    /// Set while this thread is traced by [`relentless`].
    static INSISTING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread is traced as its run wants; then as before.
pub(crate) struct Tracing {
    previous: Option<State>,
    changed: bool,
}

impl Tracing {
    /// Switches this thread to the tracing that a run needs: none where it limits neither operations nor recursion.
    pub(crate) fn switch(py: Python<'_>, run: Option<&Arc<Run>>) -> Tracing {
        let wanted = run.filter(|run| {
            let limits = run.budget.limits();
            limits.operations.is_some() || limits.recursion.is_some()
        });
        let state =
            wanted.map(|run| State { run: Arc::clone(run), levels: Vec::new(), depth: 0, kinds: HashMap::new() });
        let on = state.is_some();
        let previous = STATE.with(|slot| slot.replace(state));
        let changed = on || previous.is_some();
        if changed {
            set(py, on);
        }
        Tracing { previous, changed }
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        if !self.changed && !INSISTING.take() {
            return;
        }
        INSISTING.set(false);
        let previous = self.previous.take();
        let on = previous.is_some();
        let ended = STATE.with(|slot| slot.replace(previous));
        Python::attach(|py| set(py, on));
        drop(ended);
    }
}

fn set(py: Python<'_>, on: bool) {
    install(py, on.then_some(trace as ffi::Py_tracefunc));
}

fn install(_py: Python<'_>, function: Option<ffi::Py_tracefunc>) {
    SWITCHING.set(true);
    // SAFETY: the GIL is held, and the function has the type that is asked for.
    unsafe { ffi::PyEval_SetTrace(function, std::ptr::null_mut()) };
    SWITCHING.set(false);
}

/// From here on each line of the script that this thread executes raises the stop exception, until the run has ended.
///
/// A stop now and then does not end a script whose handlers call what was stopped: `def f(): try: f() except: f()` takes
/// 2¹⁰⁰⁰ of them.
pub(crate) fn insist(py: Python<'_>) {
    if !INSISTING.replace(true) {
        install(py, Some(relentless));
    }
}

unsafe extern "C" fn relentless(
    _: *mut ffi::PyObject,
    frame: *mut ffi::PyFrameObject,
    what: c_int,
    _: *mut ffi::PyObject,
) -> c_int {
    if what != ffi::PyTrace_CALL && what != ffi::PyTrace_LINE {
        return 0;
    }
    // SAFETY: CPython calls this with the GIL held.
    let py = unsafe { Python::assume_attached() };
    let _lenient = memory::lenient(true);
    // SAFETY: a live frame has a code object; the reference is new.
    let code = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyFrame_GetCode(frame).cast()) };
    let name = code.and_then(|code| code.getattr(intern!(py, "co_filename")).ok());
    let name = name.as_ref().and_then(|name| name.cast::<PyString>().ok()?.to_str().ok());
    match crate::run::current() {
        Some(run) if !name.is_some_and(is_library) => {
            run.stopped(py).restore(py);
            -1
        }
        _ => 0,
    }
}

unsafe extern "C" fn trace(
    _: *mut ffi::PyObject,
    frame: *mut ffi::PyFrameObject,
    what: c_int,
    _: *mut ffi::PyObject,
) -> c_int {
    let outcome = STATE.with(|slot| {
        let mut slot = slot.try_borrow_mut().ok()?;
        let state = slot.as_mut()?;
        match what {
            // SAFETY: CPython calls this with the GIL held and a live frame.
            ffi::PyTrace_CALL => unsafe { state.enter(frame) },
            // SAFETY: as above.
            ffi::PyTrace_LINE => unsafe { state.line(frame) },
            ffi::PyTrace_OPCODE => state.single(frame),
            ffi::PyTrace_RETURN => {
                state.leave(frame);
                None
            }
            _ => None,
        }
        .map(|breach| (Arc::clone(&state.run), breach))
    });
    let Some((run, breach)) = outcome else { return 0 };
    // SAFETY: CPython calls this with the GIL held.
    let py = unsafe { Python::assume_attached() };
    let _lenient = memory::lenient(true);
    run.breach(py, breach).restore(py);
    -1
}

impl State {
    unsafe fn enter(&mut self, frame: *mut ffi::PyFrameObject) -> Option<Breach> {
        let _lenient = memory::lenient(true);
        // SAFETY: the caller's promise.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: a live frame has a code object; the reference is new.
        let code = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyFrame_GetCode(frame).cast()) }?;
        let kind = self.kind(&code);
        let ours = match kind.origin {
            Origin::Script => true,
            Origin::Library => false,
            Origin::Caller => self.levels.last().is_none_or(|level| level.ours),
        };
        if kind.spins && ours {
            // SAFETY: a live frame, which is an object.
            let frame = unsafe { Bound::from_borrowed_ptr(py, frame.cast()) };
            let _ = frame.setattr(intern!(py, "f_trace_opcodes"), true);
        }
        let function = kind.function;
        self.levels.push(Level { frame, instruction: -1, line: -1, single: -1, ours, function });
        if !(ours && function) {
            return None;
        }
        self.depth += 1;
        if let Some(limit) = self.run.budget.limits().recursion
            && self.depth > limit
        {
            return Some(Breach { name: LimitName::Recursion, limit, reading: self.depth });
        }
        self.count()
    }

    unsafe fn line(&mut self, frame: *mut ffi::PyFrameObject) -> Option<Breach> {
        let level = self.levels.last_mut().filter(|level| level.frame == frame)?;
        // SAFETY: the caller's promise.
        let (instruction, line) = unsafe { (ffi::PyFrame_GetLasti(frame), ffi::PyFrame_GetLineNumber(frame)) };
        let back = level.instruction >= 0 && (instruction <= level.instruction || line == level.line);
        level.instruction = instruction;
        level.line = line;
        if back && level.ours { self.count() } else { None }
    }

    fn leave(&mut self, frame: *mut ffi::PyFrameObject) {
        while let Some(level) = self.levels.pop() {
            if level.ours && level.function {
                self.depth -= 1;
            }
            if level.frame == frame {
                return;
            }
        }
    }

    fn count(&mut self) -> Option<Breach> {
        let limit = self.run.budget.operations_limit()?;
        if !self.run.counting.load(Ordering::Relaxed) {
            return None;
        }
        let own = self.run.operations.fetch_add(1, Ordering::Relaxed) + 1;
        (own > limit).then(|| self.run.budget.operations_breach(own))
    }

    fn single(&mut self, frame: *mut ffi::PyFrameObject) -> Option<Breach> {
        let level = self.levels.last_mut().filter(|level| level.frame == frame)?;
        // SAFETY: called for a live frame.
        let instruction = unsafe { ffi::PyFrame_GetLasti(frame) };
        let again = std::mem::replace(&mut level.single, instruction) == instruction;
        if again && level.ours { self.count() } else { None }
    }

    fn kind(&mut self, code: &Bound<'_, PyAny>) -> Kind {
        let address = code.as_ptr() as usize;
        if let Some((_, kind)) = self.kinds.get(&address) {
            return *kind;
        }
        let py = code.py();
        let flags = code.getattr(intern!(py, "co_flags")).and_then(|flags| flags.extract::<i64>()).unwrap_or(0);
        let origin = self.origin(code);
        let spins = origin != Origin::Library && spins(code);
        let kind = Kind { origin, function: flags & FUNCTION != 0, spins };
        self.kinds.insert(address, (code.clone().unbind(), kind));
        kind
    }

    fn origin(&self, code: &Bound<'_, PyAny>) -> Origin {
        let name = code.getattr(intern!(code.py(), "co_filename")).ok();
        let name = name.as_ref().and_then(|name| name.cast::<PyString>().ok()?.to_str().ok());
        match name {
            Some(name) if name == &*self.run.file || self.run.texts.as_ref().is_some_and(|texts| texts.has(name)) => {
                Origin::Script
            }
            Some(name) if is_library(name) => Origin::Library,
            Some(name) if !name.starts_with('<') => Origin::Script,
            _ => Origin::Caller,
        }
    }
}

/// Whether code jumps from an instruction to that same instruction. Later versions of CPython have a line event there.
fn spins(code: &Bound<'_, PyAny>) -> bool {
    const JUMP_BACKWARD: u8 = 140;
    if cfg!(Py_3_12) {
        return false;
    }
    let Ok(bytes) = code.getattr(intern!(code.py(), "co_code")) else { return false };
    let Ok(bytes) = bytes.cast::<PyBytes>() else { return false };
    bytes.as_bytes().as_chunks().0.contains(&[JUMP_BACKWARD, 1])
}

/// Whether a file is CPython's own, an installed package's or the engine's, rather than a script's.
pub(crate) fn is_library(file: &str) -> bool {
    file.starts_with("<frozen ")
        || file.starts_with("<skills:")
        || Runtime::get().is_ok_and(|runtime| runtime.library.iter().any(|dir| file.starts_with(&**dir)))
}

// SAFETY: the signature is that of CPython's audit hooks.
unsafe extern "C" {
    fn PySys_AddAuditHook(hook: AuditHook, data: *mut c_void) -> c_int;
}

type AuditHook = unsafe extern "C" fn(*const c_char, *mut ffi::PyObject, *mut c_void) -> c_int;

/// Refuses what would undo a run's limits or outlive it, and notes what is to be put back: to be called once, before initialisation.
pub(crate) fn guard() {
    // SAFETY: may be called before initialisation; the hook lives as long as the process.
    unsafe { PySys_AddAuditHook(audit, std::ptr::null_mut()) };
}

unsafe extern "C" fn audit(event: *const c_char, arguments: *mut ffi::PyObject, _: *mut c_void) -> c_int {
    // SAFETY: CPython gives a NUL-terminated name.
    let event = unsafe { CStr::from_ptr(event) }.to_bytes();
    let (refused, message) = match event {
        b"sys.settrace" | b"sys.setprofile" => (
            !SWITCHING.get()
                && (INSISTING.get()
                    || STATE.try_with(|slot| slot.try_borrow().is_ok_and(|s| s.is_some())).unwrap_or(false)),
            c"a script whose operations or recursion are limited cannot set a trace function",
        ),
        b"sys.addaudithook" => {
            (crate::run::current().is_some(), c"a script cannot add an audit hook: it could not be removed")
        }
        b"os.fork" | b"os.forkpty" => {
            (crate::run::current().is_some(), c"a script cannot fork the process that embeds it: use subprocess")
        }
        b"os.chdir" => (
            crate::run::current().is_some_and(|run| !process::before_chdir(&run)),
            c"the working directory could not be changed: there would be no way back to the present one",
        ),
        b"os.putenv" | b"os.unsetenv" => {
            if let Some(run) = crate::run::current() {
                // SAFETY: CPython passes a tuple of the name and perhaps the value, with the GIL held.
                unsafe {
                    let name = ffi::PyTuple_GetItem(arguments, 0);
                    if !name.is_null() && ffi::PyBytes_Check(name) != 0 {
                        process::before_putenv(&run, CStr::from_ptr(ffi::PyBytes_AsString(name)));
                    }
                }
            }
            return 0;
        }
        _ => return 0,
    };
    if !refused {
        return 0;
    }
    // SAFETY: audit events of a script are raised with the GIL held.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_RuntimeError, message.as_ptr()) };
    -1
}
