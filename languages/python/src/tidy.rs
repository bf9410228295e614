//! What is put back after each run: a script shares its CPython with the scripts after it.
//!
//! The list of it, and of what is not, stands in the documentation of the crate. In the usual case nothing was changed, and
//! noticing that costs a few comparisons.
//!
//! Other runs may go on meanwhile, and what they changed is theirs. CPython's count of changes to dicts serves as a
//! clock: a change to a module waits while a run goes on that began before it. Where there is no such clock (lists, the
//! state of `random`) the change waits until no other run goes on.

use crate::library::Library;
use crate::run::Run;
use crate::trace::is_library;
use crate::watch::{self, Row, Watched};
use crate::{memory, process};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How things stood before the first script.
pub(crate) struct Pristine {
    pub(crate) builtins: Watched,
    pub(crate) sys: Watched,
    pub(crate) modules: Watched,
    pub(crate) path: Row,
    pub(crate) meta_path: Row,
    pub(crate) library: Library,
    /// Whether the host program had started CPython itself: its modules are the host's to change.
    foreign: bool,
    restore_limit: Py<PyAny>,
    pub(crate) recursion_limit: i32,
}

/// The runs in progress, and when they began, by CPython's count of changes.
static LIVE: Mutex<Vec<(usize, u64)>> = Mutex::new(Vec::new());

fn live() -> MutexGuard<'static, Vec<(usize, u64)>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the earliest run in progress began, but for `run`; `None` where there is no other.
fn earliest_other(run: &Arc<Run>) -> Option<u64> {
    let own = Arc::as_ptr(run) as usize;
    // Without a clock all of them began at `UNKNOWN`, which is the latest time.
    live().iter().filter(|(id, _)| *id != own).map(|(_, began)| *began).min()
}

/// Whether runs are in progress but for `run`, and when that began.
pub(crate) fn beside(run: &Arc<Run>) -> (bool, u64) {
    let own = Arc::as_ptr(run) as usize;
    let live = live();
    let began = live.iter().find(|(id, _)| *id == own).map_or(0, |(_, began)| *began);
    (live.len() > 1, began)
}

/// The modules that each run imported from its script's folder.
static IMPORTED: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());

/// Notes that a run imported a module of its script's folder. Whoever had imported one of that name has it no longer.
pub(crate) fn imported(run: &Arc<Run>, name: String) {
    let mut imported = IMPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    imported.retain(|(_, other)| *other != name);
    imported.push((Arc::as_ptr(run) as usize, name));
}

/// Notes again a name that [`take_imported`] gave; false where another run has imported a module of that name meanwhile.
pub(crate) fn imported_again(run: &Arc<Run>, name: &str) -> bool {
    let mut imported = IMPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let free = !imported.iter().any(|(_, other)| other == name);
    if free {
        imported.push((Arc::as_ptr(run) as usize, name.to_owned()));
    }
    free
}

/// While it lives, a run is in progress.
pub(crate) struct Counted(usize);

impl Counted {
    pub(crate) fn new(py: Python<'_>, run: &Arc<Run>) -> Counted {
        let id = Arc::as_ptr(run) as usize;
        let began = watch::now(py);
        live().push((id, began));
        Counted(id)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        live().retain(|(id, _)| *id != self.0);
        // The next run may be at the same address.
        IMPORTED.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| *id != self.0);
    }
}

impl Pristine {
    /// Remembers how things stand.
    pub(crate) fn take(
        sys: &Bound<'_, PyModule>,
        builtins: &Bound<'_, PyDict>,
        modules: Bound<'_, PyDict>,
        restore_limit: Py<PyAny>,
        foreign: bool,
    ) -> PyResult<Pristine> {
        let library = Library::default();
        if !foreign {
            for (name, module) in modules.iter() {
                if let Ok(name) = name.cast::<PyString>() {
                    library.adopt(sys.py(), name, &module)?;
                }
            }
        }
        Ok(Pristine {
            builtins: Watched::new(builtins.clone())?,
            sys: Watched::new(sys.dict())?,
            modules: Watched::new(modules)?,
            path: Row::of(sys, "path")?,
            meta_path: Row::of(sys, "meta_path")?,
            library,
            foreign,
            restore_limit,
            // SAFETY: only reads a number.
            recursion_limit: unsafe { ffi::Py_GetRecursionLimit() },
        })
    }

    /// Takes the modules that were imported meanwhile, by the engine itself, for how things should be.
    pub(crate) fn settle(&self, py: Python<'_>) -> PyResult<()> {
        let (live, known) = (self.modules.live.bind(py), self.modules.copy.bind(py));
        for (name, module) in live.iter() {
            if known.contains(&name)? {
                continue;
            }
            if let Ok(name) = name.cast::<PyString>()
                && !self.foreign
            {
                self.library.adopt(py, name, &module)?;
            }
            known.set_item(&name, &module)?;
        }
        self.modules.settled(py);
        self.library.accept(py)
    }

    /// The library modules that differ now from what they were. To be asked before an import, for [`Self::imported`].
    pub(crate) fn changed(&self, py: Python<'_>) -> Vec<usize> {
        self.library.changed(py)
    }

    /// Remembers a library module whose import is complete.
    pub(crate) fn imported(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyString>,
        module: &Bound<'_, PyAny>,
        before: &[usize],
    ) -> PyResult<()> {
        if self.foreign || !is_finished_library(module) {
            return Ok(());
        }
        let alone = live().len() <= 1;
        self.library.imported(py, name, module, before, alone)
    }

    /// Puts back what a run changed. An error here is a script's doing; it does not keep the rest from being put back.
    pub(crate) fn after(&self, py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
        let _lenient = memory::lenient(true);
        let earliest = earliest_other(run);
        let last = earliest.is_none();
        let zone = process::restore(run);
        let mut result = self.builtins.restore(py).and(self.sys.restore(py));
        for row in [&self.path, &self.meta_path] {
            result = result.and(row.restore(py));
        }
        // SAFETY: only reads a number.
        if unsafe { ffi::Py_GetRecursionLimit() } != self.recursion_limit {
            result = result.and(self.restore_limit.call0(py).map(drop));
        }
        // SAFETY: the GIL is held.
        if last && unsafe { ffi::PyGC_IsEnabled() } == 0 {
            // SAFETY: as above.
            unsafe { ffi::PyGC_Enable() };
        }
        let modules = self.modules.live.bind(py);
        if self.modules.changed_at(py).is_some() {
            result = result.and(self.modules(py, run, last));
            if last {
                self.library.prune(py, modules);
            }
        }
        if zone {
            // `TZ` is the old one again, but the C library still goes by the script's.
            result = result.and(py.import("time").and_then(|time| time.call_method0("tzset")).map(drop));
        }
        result.and(self.library.restore(py, modules, earliest))
    }

    fn modules(&self, py: Python<'_>, run: &Arc<Run>, last: bool) -> PyResult<()> {
        let (live, known) = (self.modules.live.bind(py), self.modules.copy.bind(py));
        let own = take_imported(run);
        for (name, module) in live.copy()?.iter() {
            if known.get_item(&name)?.is_some_and(|before| before.is(&module)) {
                continue;
            }
            let text = name.cast::<PyString>().ok().and_then(|name| name.to_str().ok()).unwrap_or_default();
            if own.iter().any(|own| is_within(text, own)) {
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

/// Gives the modules that a run imported from its script's folder, which are noted as nobody's then.
pub(crate) fn take_imported(run: &Arc<Run>) -> Vec<String> {
    let mut imported = IMPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let id = Arc::as_ptr(run) as usize;
    imported.extract_if(.., |(owner, _)| *owner == id).map(|(_, name)| name).collect()
}

/// Whether a module is the one of a name, or in that package.
pub(crate) fn is_within(module: &str, name: &str) -> bool {
    module.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a module is still being imported.
pub(crate) fn is_unfinished(module: &Bound<'_, PyAny>) -> bool {
    let flag = module.getattr("__spec__").and_then(|spec| spec.getattr("_initializing"));
    flag.and_then(|flag| flag.is_truthy()).unwrap_or(false)
}

/// Whether a module is CPython's own or installed, and wholly imported.
pub(crate) fn is_finished_library(module: &Bound<'_, PyAny>) -> bool {
    let Ok(spec) = module.getattr("__spec__") else { return false };
    let origin = spec.getattr("origin").and_then(|origin| origin.extract::<String>());
    !is_unfinished(module)
        && origin.is_ok_and(|origin| origin == "built-in" || origin == "frozen" || is_library(&origin))
}
