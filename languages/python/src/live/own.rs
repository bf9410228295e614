//! What a session changed of the process and of CPython, which others share with it: taken along when a cell ends, and made
//! so again when the next one begins.
//!
//! Between two cells the process is as it was before the first session. Runs and sessions that overlap see each other's
//! changes, as runs do (see the documentation of the crate).

use crate::process::{self, Place};
use crate::run::Run;
use crate::tidy::{self, Pristine};
use crate::watch::{Delta, UNKNOWN};
use crate::{library::Taken, memory};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule, PyString};
use std::collections::HashSet;
use std::sync::Arc;

/// The names that the module of a session's namespace has: `__main__`, and that of scripts with a `run`.
const MAIN: [&str; 2] = ["__main__", "__skill__"];

/// What a session takes along.
#[derive(Default)]
pub(crate) struct Own {
    /// Modules that only this session knows.
    modules: Option<Py<PyDict>>,
    sys: Option<Delta>,
    builtins: Option<Delta>,
    path: Option<Py<PyList>>,
    meta_path: Option<Py<PyList>>,
    library: Vec<Taken>,
    recursion_limit: Option<i32>,
    collector_off: bool,
    place: Place,
}

/// What is to be known when the cell ends.
pub(crate) struct Entered {
    /// The names of all modules before, where others run meanwhile.
    others: HashSet<String>,
    /// Whether `sys.modules` was as it should be, and its version once the session's own were in.
    settled: bool,
    version: u64,
}

impl Own {
    /// The modules that only this session knows.
    pub(crate) fn modules(&self) -> Option<&Py<PyDict>> {
        self.modules.as_ref()
    }

    /// Makes things as the session left them.
    pub(crate) fn enter(
        &self,
        py: Python<'_>,
        pristine: &Pristine,
        run: &Arc<Run>,
        main: &Py<PyModule>,
    ) -> PyResult<Entered> {
        let _lenient = memory::lenient(true);
        let live = pristine.modules.live.bind(py);
        let settled = pristine.modules.changed_at(py).is_none();
        let (crowded, _) = tidy::beside(run);
        let others =
            if crowded { live.keys().iter().filter_map(|key| key.extract().ok()).collect() } else { HashSet::new() };
        MAIN.iter().try_for_each(|name| live.set_item(name, main))?;
        if let Some(own) = &self.modules {
            live.update(own.bind(py).as_mapping())?;
        }
        let entered = Entered { others, settled, version: pristine.modules.version(py) };
        if let Some(delta) = &self.sys {
            pristine.sys.apply(py, delta)?;
        }
        if let Some(delta) = &self.builtins {
            pristine.builtins.apply(py, delta)?;
        }
        for (row, items) in [(&pristine.path, &self.path), (&pristine.meta_path, &self.meta_path)] {
            items.iter().try_for_each(|items| row.apply(py, items))?;
        }
        self.library.iter().try_for_each(|taken| taken.apply(py))?;
        if self.place.resume(run) {
            py.import(intern!(py, "time"))?.call_method0(intern!(py, "tzset"))?;
        }
        // SAFETY: the GIL is held; a session can only have lowered the limit.
        unsafe {
            self.recursion_limit.into_iter().for_each(|limit| ffi::Py_SetRecursionLimit(limit));
            if self.collector_off {
                ffi::PyGC_Disable();
            }
        }
        Ok(entered)
    }

    /// Takes along what differs when a cell ends, and takes the session's modules out of sight.
    pub(crate) fn leave(
        &mut self,
        py: Python<'_>,
        pristine: &Pristine,
        run: &Arc<Run>,
        entered: &Entered,
    ) -> PyResult<()> {
        let _lenient = memory::lenient(true);
        let (_, since) = tidy::beside(run);
        let modules = self.leave_modules(py, pristine, run, entered);
        self.sys = pristine.sys.delta(py)?;
        self.builtins = pristine.builtins.delta(py)?;
        self.path = pristine.path.delta(py);
        self.meta_path = pristine.meta_path.delta(py);
        self.library = pristine.library.take(py, since);
        // SAFETY: only reads a number.
        let limit = unsafe { ffi::Py_GetRecursionLimit() };
        self.recursion_limit = (limit != pristine.recursion_limit).then_some(limit);
        // SAFETY: the GIL is held.
        self.collector_off = unsafe { ffi::PyGC_IsEnabled() } == 0;
        self.place = process::place(run);
        modules
    }

    fn leave_modules(
        &mut self,
        py: Python<'_>,
        pristine: &Pristine,
        run: &Arc<Run>,
        entered: &Entered,
    ) -> PyResult<()> {
        let (live, known) = (pristine.modules.live.bind(py), pristine.modules.copy.bind(py));
        let version = pristine.modules.version(py);
        let unchanged = version == entered.version && version != UNKNOWN;
        // They are known to be the session's: what is left of the run's own would be deleted.
        tidy::take_imported(run);
        if !unchanged {
            let own = PyDict::new(py);
            for (name, module) in live.iter() {
                let Ok(text) = name.cast::<PyString>().map(|name| name.to_str().unwrap_or_default()) else {
                    continue;
                };
                let before = match &self.modules {
                    Some(own) => own.bind(py).contains(&name)?,
                    None => false,
                };
                if MAIN.contains(&text)
                    || known.get_item(&name)?.is_some_and(|known| known.is(&module))
                    || (!before && (entered.others.contains(text) || tidy::is_finished_library(&module)))
                {
                    continue;
                }
                own.set_item(name, module)?;
            }
            self.modules = (!own.is_empty()).then(|| own.unbind());
        }
        if let Some(own) = &self.modules {
            for name in own.bind(py).keys() {
                match known.get_item(&name)? {
                    Some(module) => live.set_item(name, module)?,
                    None => live.del_item(name)?,
                }
            }
        }
        for name in MAIN {
            if let Some(module) = known.get_item(name)? {
                live.set_item(name, module)?;
            }
        }
        if unchanged && entered.settled {
            pristine.modules.settled(py);
        }
        Ok(())
    }
}
