//! The parts of a living session that are written in Python, and what they need.

use crate::natives;
use crate::runtime::Runtime;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};

/// The functions of `python/cells.py` and `python/look.py`.
pub(super) struct Tools {
    event_loop: Py<PyAny>,
    pub(super) whole: Py<PyAny>,
    pub(super) text: Py<PyAny>,
    pub(super) picture: Py<PyAny>,
    pub(super) is_own: Py<PyAny>,
    pub(super) variables: Py<PyAny>,
    pub(super) complete: Py<PyAny>,
    pub(super) inspect: Py<PyAny>,
    /// `linecache.__dict__`.
    linecache: Py<PyDict>,
}

/// The functions of `python/image.py`.
pub(super) struct Imaging {
    pub(super) snapshot: Py<PyAny>,
    pub(super) restore: Py<PyAny>,
}

static TOOLS: PyOnceLock<Tools> = PyOnceLock::new();
static IMAGING: PyOnceLock<Imaging> = PyOnceLock::new();

impl Tools {
    /// The tools, made where nobody has asked for them yet.
    pub(super) fn get(py: Python<'_>, runtime: &Runtime) -> PyResult<&'static Tools> {
        TOOLS.get_or_try_init(py, || {
            let cells = load(py, runtime, "cells", include_str!("../python/cells.py"))?;
            let look = load(py, runtime, "look", include_str!("../python/look.py"))?;
            let of = |names: &Bound<'_, PyDict>, name: &str| Ok::<_, PyErr>(names.as_any().get_item(name)?.unbind());
            Ok(Tools {
                event_loop: of(&cells, "Loop")?,
                whole: of(&cells, "whole")?,
                text: of(&look, "text")?,
                picture: of(&look, "picture")?,
                is_own: of(&look, "is_own")?,
                variables: of(&look, "variables")?,
                complete: of(&look, "complete")?,
                inspect: of(&look, "inspect")?,
                linecache: py.import("linecache")?.dict().unbind(),
            })
        })
    }

    /// An event loop, which starts when it is needed.
    pub(super) fn event_loop(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.event_loop.call0(py)
    }

    /// Has `linecache` know the lines of a session while the guard lives.
    pub(super) fn show_lines(&self, py: Python<'_>, lines: &Py<PyDict>) -> Option<Lines<'_>> {
        let _lenient = crate::memory::lenient(true);
        let linecache = self.linecache.bind(py);
        let before = linecache.get_item(intern!(py, "cache")).ok()??;
        linecache.set_item(intern!(py, "cache"), lines).ok()?;
        Some(Lines { linecache: &self.linecache, before: before.unbind() })
    }
}

/// While it lives, `linecache` knows the lines of a session.
pub(super) struct Lines<'a> {
    linecache: &'a Py<PyDict>,
    before: Py<PyAny>,
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        Python::attach(|py| {
            let _lenient = crate::memory::lenient(true);
            // What cannot be put back here is put back with what else differs of the library.
            let _ = self.linecache.bind(py).set_item(intern!(py, "cache"), &self.before);
        });
    }
}

impl Imaging {
    /// As [`Tools::get`].
    pub(super) fn get(py: Python<'_>, runtime: &Runtime) -> PyResult<&'static Imaging> {
        IMAGING.get_or_try_init(py, || {
            let image = load(py, runtime, "image", include_str!("../python/image.py"))?;
            let of = |name: &str| Ok::<_, PyErr>(image.as_any().get_item(name)?.unbind());
            Ok(Imaging { snapshot: of("snapshot")?, restore: of("restore")? })
        })
    }
}

/// Makes the tools of a process that is going to fork, for its forks.
pub(crate) fn prepare(py: Python<'_>, runtime: &Runtime) -> PyResult<()> {
    Tools::get(py, runtime)?;
    Imaging::get(py, runtime).map(drop)
}

fn load<'py>(py: Python<'py>, runtime: &Runtime, name: &str, source: &str) -> PyResult<Bound<'py, PyDict>> {
    // What they import is the engine's, not the session's.
    // SAFETY: there is no meter to outlive the guard.
    let _unmetered = unsafe { crate::memory::meter(std::ptr::null()) };
    let code = runtime.compile.bind(py).call1((source, format!("<skills:{name}>"), "exec"))?;
    let module = PyModule::new(py, &format!("_skills_{name}"))?;
    let globals = module.dict();
    globals.set_item("__builtins__", &runtime.builtins)?;
    globals.set_item("natives", natives::module(py)?)?;
    globals.set_item("Stop", &runtime.stop)?;
    py.import("builtins")?.getattr("exec")?.call1((code, &globals))?;
    Ok(globals)
}
