//! CPython in a process that forks.
//!
//! It is started on the process's only thread. The stopper's thread, which has started it elsewhere, comes after the fork:
//! the thread that forked becomes it, and scripts run on a new one, so that here as well they are never on CPython's main
//! thread.
//!
//! A session may be forked as well, between two evaluations and on its own thread: what surrounds a fork is the same. There the new
//! process has no other thread than the session's, so that becomes CPython's main thread; scripts run on it nevertheless, because the
//! session lives on its stack. It could install signal handlers then, in a process of its own. The stopper's thread is started anew by the
//! first evaluation there. Threads that scripts started are gone; they had ended with their evaluations.

use crate::compile::compile;
use crate::live;
use crate::runtime::{Runtime, freeze};
use crate::stopper;
use pyo3::prelude::*;
use pyo3::{ffi, types::PyBytes};
use skills_core::{ErrorKind, Failure, Fork, Language, Script};
use std::cell::Cell;
use std::os::unix::ffi::OsStrExt as _;

thread_local! {
    /// What taking the GIL before a fork gave.
    static TAKEN: Cell<Option<ffi::PyGILState_STATE>> = const { Cell::new(None) };
}

/// Starts CPython on this thread.
pub(crate) fn prepare() -> Result<(), Failure> {
    let runtime = Runtime::start_here()?;
    Python::attach(|py| {
        live::prepare(py, runtime)?;
        // CPython makes the types of syntax trees when it parses its first.
        let sample = include_str!("python/cells.py").to_owned();
        compile(py, runtime, &Script { language: Language::Python, file: "<sample>".into(), source: sample }, 0)?;
        // What was imported is there in each fork, where the first run would have to look at it.
        runtime.pristine.settle(py)?;
        // In a fork the collector would write to all of it, above all where a script was stopped and time is short.
        freeze(py)
    })
    .map_err(|error| Failure::new(ErrorKind::Unavailable, format!("Python is not available: {error}")))
}

/// Does around a fork what CPython wants done.
pub(crate) fn moment(moment: Fork) {
    // SAFETY: CPython has been started, and this thread holds the GIL from before the fork until after it.
    unsafe {
        match moment {
            Fork::Before => {
                TAKEN.set(Some(ffi::PyGILState_Ensure()));
                ffi::PyOS_BeforeFork();
                stopper::hold();
            }
            Fork::InParent => {
                stopper::release();
                ffi::PyOS_AfterFork_Parent();
            }
            Fork::InChild => {
                stopper::lost();
                ffi::PyOS_AfterFork_Child();
                // Where it fails, each run puts back what it finds different, which only takes longer.
                let _ = Python::attach(accept);
            }
        }
        if moment != Fork::Before
            && let Some(taken) = TAKEN.take()
        {
            ffi::PyGILState_Release(taken);
        }
    }
}

/// Runs work on a thread of its own, while this one stops scripts that have to stop.
pub(crate) fn serve(work: Box<dyn FnOnce() + Send>) -> Result<(), Failure> {
    /// Room for the deepest nesting that CPython allows.
    const STACK: usize = 16 << 20;
    Python::attach(|py| take_environment(py).and_then(|()| accept(py))).map_err(|error| {
        Failure::new(ErrorKind::Unavailable, format!("the worker could not take its environment: {error}"))
    })?;
    stopper::settle();
    let thread = std::thread::Builder::new().name("skills-session".into()).stack_size(STACK).spawn(work);
    match thread {
        Ok(_) => stopper::serve(),
        Err(error) => {
            Err(Failure::new(ErrorKind::Unavailable, format!("the worker could not start its thread: {error}")))
        }
    }
}

/// Takes what CPython made of itself in this process for how it should be before and after each run.
fn accept(py: Python<'_>) -> PyResult<()> {
    Runtime::get().map_or(Ok(()), |runtime| runtime.pristine.library.accept(py))
}

/// Has `os.environ` say what the environment of this process is: Python read that of the process it was started in, and a fork
/// has been given its own since.
#[expect(clippy::disallowed_methods, reason = "a confined process has no variable but those that it is to have")]
fn take_environment(py: Python<'_>) -> PyResult<()> {
    // What `os.environ` keeps; setting it item by item would set the process's own once more.
    let known = py.import("os")?.getattr("environ")?.getattr("_data")?;
    known.call_method0("clear")?;
    for (name, value) in std::env::vars_os() {
        known.set_item(PyBytes::new(py, name.as_bytes()), PyBytes::new(py, value.as_bytes()))?;
    }
    Ok(())
}
