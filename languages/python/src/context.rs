//! A `contextvars.Context` of a run's own: what a script sets in it (`decimal.getcontext().prec`) ends with the run.

use pyo3::ffi;
use pyo3::prelude::*;

/// While it lives, this thread is in a fresh context.
pub(crate) struct Context(Py<PyAny>);

impl Context {
    pub(crate) fn enter(py: Python<'_>) -> PyResult<Context> {
        // SAFETY: the GIL is held; the reference is new.
        let context = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_New()) }?;
        // SAFETY: a context that nobody has entered.
        if unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(Context(context.unbind()))
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
