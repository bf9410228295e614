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
//! is not behind it.

use crate::memory;
use crate::run::Run;
use crate::runtime::Runtime;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use skills_core::{Breach, LimitName};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// `CO_OPTIMIZED`: the code of a function, rather than of a module, a class body, or `exec`.
const FUNCTION: i64 = 1;

struct Level {
    frame: *mut ffi::PyFrameObject,
    instruction: c_int,
    line: c_int,
    ours: bool,
    function: bool,
}

struct State {
    run: Arc<Run>,
    levels: Vec<Level>,
    depth: u64,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
    /// Set while the engine itself changes the trace function.
    static SWITCHING: Cell<bool> = const { Cell::new(false) };
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
        let state = wanted.map(|run| State { run: Arc::clone(run), levels: Vec::new(), depth: 0 });
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
        if !self.changed {
            return;
        }
        let previous = self.previous.take();
        let on = previous.is_some();
        let ended = STATE.with(|slot| slot.replace(previous));
        Python::attach(|py| set(py, on));
        drop(ended);
    }
}

fn set(_py: Python<'_>, on: bool) {
    SWITCHING.set(true);
    // SAFETY: the GIL is held, and the function has the type that is asked for.
    unsafe { ffi::PyEval_SetTrace(on.then_some(trace as ffi::Py_tracefunc), std::ptr::null_mut()) };
    SWITCHING.set(false);
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
        let flags = code.getattr(intern!(py, "co_flags")).and_then(|flags| flags.extract::<i64>()).unwrap_or(0);
        let function = flags & FUNCTION != 0;
        let ours = self.is_ours(&code);
        self.levels.push(Level { frame, instruction: -1, line: -1, ours, function });
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
        let limit = self.run.budget.limits().operations?;
        let reading = self.run.operations.fetch_add(1, Ordering::Relaxed) + 1;
        (reading > limit).then_some(Breach { name: LimitName::Operations, limit, reading })
    }

    /// Whether code is the script's own. Code without a file (`<string>`) is whoever called it.
    fn is_ours(&self, code: &Bound<'_, PyAny>) -> bool {
        let Ok(name) = code.getattr(intern!(code.py(), "co_filename")) else { return false };
        let Some(name) = name.cast::<PyString>().ok().and_then(|name| name.to_str().ok()) else { return false };
        if name == &*self.run.file {
            return true;
        }
        if is_library(name) {
            return false;
        }
        !name.starts_with('<') || self.levels.last().is_none_or(|level| level.ours)
    }
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

/// Refuses what would undo a run's limits or outlive it: to be called once, before initialisation.
pub(crate) fn guard() {
    // SAFETY: may be called before initialisation; the hook lives as long as the process.
    unsafe { PySys_AddAuditHook(audit, std::ptr::null_mut()) };
}

unsafe extern "C" fn audit(event: *const c_char, _: *mut ffi::PyObject, _: *mut c_void) -> c_int {
    // SAFETY: CPython gives a NUL-terminated name.
    let event = unsafe { CStr::from_ptr(event) }.to_bytes();
    let (refused, message) = match event {
        b"sys.settrace" | b"sys.setprofile" => (
            !SWITCHING.get() && STATE.try_with(|slot| slot.try_borrow().is_ok_and(|s| s.is_some())).unwrap_or(false),
            c"a script whose operations or recursion are limited cannot set a trace function",
        ),
        b"sys.addaudithook" => (crate::run::current().is_some(), c"a script cannot add an audit hook: it could not be removed"),
        b"os.fork" | b"os.forkpty" => {
            (crate::run::current().is_some(), c"a script cannot fork the process that embeds it: use subprocess")
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
