//! What is put back after each run: a script shares its CPython with the scripts after it.
//!
//! Put back are the contents of `builtins`, the attributes of `sys`, `sys.path`, `sys.meta_path`, the recursion limit, and
//! `sys.modules`: modules of the script's folder and those that it made itself are taken out, those that it replaced
//! come back. Not noticed are changes *inside* a module (`json.dumps = ...`), and what belongs to the process (the working
//! directory, `os.environ`). For code that is not trusted there are workers.
//!
//! In the usual case nothing was changed, and noticing that costs a few comparisons.

use crate::run::Run;
use crate::trace::is_library;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule, PyString};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How things stood before the first script.
pub(crate) struct Pristine {
    builtins: Watched,
    sys: Watched,
    modules: Watched,
    path: (Py<PyList>, Py<PyList>),
    meta_path: (Py<PyList>, Py<PyList>),
    restore_limit: Py<PyAny>,
    recursion_limit: i32,
}

/// A dict, a copy of it, and the version at which the two were last equal.
struct Watched {
    live: Py<PyDict>,
    copy: Py<PyDict>,
    version: AtomicU64,
}

impl Watched {
    fn new(live: Bound<'_, PyDict>) -> PyResult<Watched> {
        let copy = live.copy()?.unbind();
        let version = AtomicU64::new(version(&live));
        Ok(Watched { live: live.unbind(), copy, version })
    }

    /// Whether the dict may differ from its copy.
    fn changed(&self, py: Python<'_>) -> bool {
        let now = version(self.live.bind(py));
        now == u64::MAX || now != self.version.load(Ordering::Relaxed)
    }

    fn settled(&self, py: Python<'_>) {
        self.version.store(version(self.live.bind(py)), Ordering::Relaxed);
    }

    /// Makes the dict what it was.
    fn restore(&self, py: Python<'_>) -> PyResult<()> {
        if !self.changed(py) {
            return Ok(());
        }
        let (live, copy) = (self.live.bind(py), self.copy.bind(py));
        for (key, value) in copy.iter() {
            if !live.get_item(&key)?.is_some_and(|now| now.is(&value)) {
                live.set_item(&key, &value)?;
            }
        }
        if live.len() != copy.len() {
            for key in live.keys() {
                if !copy.contains(&key)? {
                    live.del_item(&key)?;
                }
            }
        }
        self.settled(py);
        Ok(())
    }
}

/// CPython's own number of a dict's last change; `u64::MAX` where this version of it has none.
fn version(dict: &Bound<'_, PyDict>) -> u64 {
    #[cfg(not(Py_3_14))]
    #[allow(deprecated, reason = "still maintained; the versions that drop it take the other branch")]
    {
        // SAFETY: a live dict; the field is only read, with the GIL.
        unsafe { (*dict.as_ptr().cast::<ffi::PyDictObject>()).ma_version_tag }
    }
    #[cfg(Py_3_14)]
    {
        let _ = dict;
        u64::MAX
    }
}

/// The runs in progress: what is shared is only cleaned when there is no other.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// The modules that each run imported from its script's folder.
static IMPORTED: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());

/// Notes that a run imported a module of its script's folder.
pub(crate) fn imported(run: &Arc<Run>, name: String) {
    IMPORTED.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::as_ptr(run) as usize, name));
}

/// While it lives, a run is in progress.
pub(crate) struct Counted(());

impl Counted {
    pub(crate) fn new() -> Counted {
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Counted(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pristine {
    /// Remembers how things stand.
    pub(crate) fn take(
        sys: &Bound<'_, PyModule>,
        builtins: &Bound<'_, PyDict>,
        modules: Bound<'_, PyDict>,
        restore_limit: Py<PyAny>,
    ) -> PyResult<Pristine> {
        let list = |name: &str| -> PyResult<(Py<PyList>, Py<PyList>)> {
            let live = sys.getattr(name)?.cast_into::<PyList>().map_err(PyErr::from)?;
            let copy = live.get_slice(0, live.len());
            Ok((live.unbind(), copy.unbind()))
        };
        Ok(Pristine {
            builtins: Watched::new(builtins.clone())?,
            sys: Watched::new(sys.dict())?,
            modules: Watched::new(modules)?,
            path: list("path")?,
            meta_path: list("meta_path")?,
            restore_limit,
            // SAFETY: only reads a number.
            recursion_limit: unsafe { ffi::Py_GetRecursionLimit() },
        })
    }

    /// Puts back what a run changed. An error here is a script's doing, and ends the tidying.
    pub(crate) fn after(&self, py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
        let last = RUNNING.load(Ordering::Relaxed) <= 1;
        self.builtins.restore(py)?;
        self.sys.restore(py)?;
        for (live, copy) in [&self.path, &self.meta_path] {
            let (live, copy) = (live.bind(py), copy.bind(py));
            let same = live.len() == copy.len() && live.iter().zip(copy.iter()).all(|(a, b)| a.is(&b));
            if !same {
                live.set_slice(0, live.len(), copy)?;
            }
        }
        // SAFETY: only reads a number.
        if unsafe { ffi::Py_GetRecursionLimit() } != self.recursion_limit {
            self.restore_limit.call0(py)?;
        }
        if self.modules.changed(py) {
            self.modules(py, run, last)?;
        }
        Ok(())
    }

    fn modules(&self, py: Python<'_>, run: &Arc<Run>, last: bool) -> PyResult<()> {
        let (live, known) = (self.modules.live.bind(py), self.modules.copy.bind(py));
        let own = take_imported(run);
        for (name, module) in live.copy()?.iter() {
            if known.get_item(&name)?.is_some_and(|before| before.is(&module)) {
                continue;
            }
            let text = name.cast::<PyString>().ok().and_then(|name| name.to_str().ok()).unwrap_or_default();
            let of_run =
                own.iter().any(|own| text == own || text.strip_prefix(&**own).is_some_and(|s| s.starts_with('.')));
            if of_run {
                live.del_item(&name)?;
            } else if last && known.contains(&name)? {
                // Replaced: what stood there comes back below.
            } else if is_finished_library(&module) {
                known.set_item(&name, &module)?;
            } else if last {
                live.del_item(&name)?;
            }
        }
        if last {
            for (name, module) in known.iter() {
                if !live.get_item(&name)?.is_some_and(|now| now.is(&module)) {
                    live.set_item(&name, &module)?;
                }
            }
            self.modules.settled(py);
        }
        Ok(())
    }
}

fn take_imported(run: &Arc<Run>) -> Vec<String> {
    let mut imported = IMPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let id = Arc::as_ptr(run) as usize;
    imported.extract_if(.., |(owner, _)| *owner == id).map(|(_, name)| name).collect()
}

/// Whether a module is CPython's own or installed, and wholly imported.
fn is_finished_library(module: &Bound<'_, PyAny>) -> bool {
    let Ok(spec) = module.getattr("__spec__") else { return false };
    let initializing = spec.getattr("_initializing").and_then(|flag| flag.is_truthy()).unwrap_or(false);
    let origin = spec.getattr("origin").and_then(|origin| origin.extract::<String>());
    !initializing && origin.is_ok_and(|origin| origin == "built-in" || origin == "frozen" || is_library(&origin))
}
