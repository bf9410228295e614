//! A `contextvars.Context` of a run's own: what a script sets in it (`decimal.getcontext().prec`) ends with the run, or with the
//! session where that lives.

use pyo3::ffi;
use pyo3::prelude::*;

/// While it lives, this thread is in a fresh context.
pub(crate) struct Context(Py<PyAny>);

impl Context {
    pub(crate) fn enter(py: Python<'_>) -> PyResult<Context> {
        // SAFETY: the GIL is held; the reference is new.
        let context = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_New()) }?;
        Context::again(py, &context)
    }

    /// Enters a context that was left.
    pub(crate) fn again(py: Python<'_>, context: &Bound<'_, PyAny>) -> PyResult<Context> {
        // SAFETY: a context; where somebody is in it, this fails.
        if unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(Context(context.clone().unbind()))
    }
}

impl Context {
    /// The context, to be entered [again](Context::again).
    pub(crate) fn object(&self, py: Python<'_>) -> Py<PyAny> {
        self.0.clone_ref(py)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        Python::attach(|py| {
            // SAFETY: entered on this thread; where a script has left another one entered this fails, and says so in an
            // exception that nobody waits for.
            if unsafe { ffi::PyContext_Exit(self.0.as_ptr()) } != 0 {
                drop(PyErr::take(py));
            }
        });
    }
}
