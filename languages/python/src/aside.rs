//! The modules of a run that waits for another skill's, out of sight meanwhile: that one may have some of the same names.

use crate::memory;
use crate::run::Run;
use crate::tidy::{self, Pristine};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::Arc;

/// While it lives, the modules that are a run's own, or its session's, are not in `sys.modules`.
pub(crate) struct Aside<'a, 'py> {
    live: Bound<'py, PyDict>,
    waiting: &'a Arc<Run>,
    /// What the run has imported of its script's folder.
    imported: Vec<String>,
    modules: Vec<(Bound<'py, PyString>, Bound<'py, PyAny>)>,
}

impl<'a, 'py> Aside<'a, 'py> {
    /// Takes the modules of a run out of sight. Those of other runs, and what is still being imported, stay.
    pub(crate) fn new(py: Python<'py>, pristine: &Pristine, waiting: &'a Arc<Run>) -> Aside<'a, 'py> {
        let _lenient = memory::lenient(true);
        let live = pristine.modules.live.bind(py).clone();
        let known = pristine.modules.copy.bind(py);
        let imported = tidy::take_imported(waiting);
        let kept = waiting.kept.as_ref().map(|kept| kept.bind(py));
        let mut aside = Aside { live, waiting, imported, modules: Vec::new() };
        if aside.imported.is_empty() && kept.is_none() {
            return aside;
        }
        let is_own = |name: &Bound<'_, PyString>, module: &Bound<'_, PyAny>| {
            let Ok(text) = name.to_str() else { return false };
            let of_session = || kept.is_some_and(|kept| matches!(kept.get_item(name), Ok(Some(own)) if own.is(module)));
            (aside.imported.iter().any(|own| tidy::is_within(text, own)) || of_session())
                && !known.contains(name).unwrap_or(true)
                && !tidy::is_unfinished(module)
        };
        for (name, module) in aside.live.copy().iter().flatten() {
            if let Ok(name) = name.cast_into::<PyString>()
                && is_own(&name, &module)
                && aside.live.del_item(&name).is_ok()
            {
                aside.modules.push((name, module));
            }
        }
        aside
    }
}

impl Drop for Aside<'_, '_> {
    fn drop(&mut self) {
        let _lenient = memory::lenient(true);
        // What somebody else has imported meanwhile is theirs, with all that is in it.
        let taken: Vec<String> =
            self.imported.drain(..).filter(|name| !tidy::imported_again(self.waiting, name)).collect();
        for (name, module) in self.modules.drain(..) {
            let text = name.to_str().unwrap_or_default();
            if !taken.iter().any(|taken| tidy::is_within(text, taken)) && matches!(self.live.contains(&name), Ok(false))
            {
                // There is nobody to tell where this fails: the script imports it again.
                let _ = self.live.set_item(name, module);
            }
        }
    }
}
