//! The files of a skill that its script imports, as the host gives them, with their code kept for the next run.

use crate::run::Run;
use crate::runtime::Runtime;
use crate::{bridge, memory};
use pyo3::prelude::*;
use skills_core::{ErrorKind, Script};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many modules a session keeps.
const KEPT: usize = 64;

/// The modules of a session's scripts.
#[derive(Default)]
pub(crate) struct Modules(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The last one used is the last.
    known: Vec<Known>,
}

/// A module and, once it was executed, its code.
struct Known {
    module: Arc<Script>,
    code: Option<Py<PyAny>>,
}

impl Modules {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a file holds.
    pub(crate) fn get(&self, file: &str) -> Option<Arc<Script>> {
        let kept = self.kept();
        kept.known.iter().rev().find(|known| known.module.file == file).map(|known| Arc::clone(&known.module))
    }

    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.kept());
        drop(all);
    }

    fn add(&self, module: Script) -> Arc<Script> {
        let mut kept = self.kept();
        let found = kept.known.iter().position(|known| *known.module == module);
        let known = match found {
            Some(at) => kept.known.remove(at),
            None => Known { module: Arc::new(module), code: None },
        };
        // One that has changed is of no use any more.
        kept.known.retain(|other| other.module.file != known.module.file);
        if kept.known.len() >= KEPT {
            kept.known.remove(0);
        }
        let module = Arc::clone(&known.module);
        kept.known.push(known);
        module
    }
}

/// The paths that a run has asked for in vain, with what the host said of each.
#[derive(Default)]
pub(crate) struct Misses(Mutex<HashMap<String, Option<String>>>);

impl Misses {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the host says of a module that it does not have.
    pub(crate) fn help(&self, name: &str) -> Option<String> {
        self.known().get(&format!("{}.py", name.replace('.', "/"))).cloned().flatten()
    }
}

/// Asks the host of a run for a file; gives what errors call it, and nothing where there is none. What is not there is asked
/// for once: an import that fails is often tried again, and the number of questions is limited.
pub(crate) fn find(py: Python<'_>, run: &Run, path: &str) -> PyResult<Option<String>> {
    if run.misses.known().contains_key(path) {
        return Ok(None);
    }
    let answer = py.detach(|| run.host.module(path));
    // What the engine keeps of it is not the script's.
    let _lenient = memory::lenient(true);
    match answer {
        Ok(module) => Ok(Some(run.modules.add(module).file.clone())),
        Err(_) if run.stopping() => Err(run.stopped(py)),
        Err(failure) if matches!(failure.kind, ErrorKind::NotFound | ErrorKind::Unavailable) => {
            if failure.kind == ErrorKind::Unavailable {
                run.alone.store(true, Ordering::Relaxed);
            }
            run.misses.known().insert(path.to_owned(), failure.help);
            Ok(None)
        }
        Err(failure) => Err(bridge::unimportable(py, failure)),
    }
}

/// The code of a file that [`find`] gave.
pub(crate) fn code(py: Python<'_>, run: &Run, file: &str) -> PyResult<Option<Py<PyAny>>> {
    let Some(module) = run.modules.get(file) else { return Ok(None) };
    let known = |kept: &mut Kept, code: Option<&Py<PyAny>>| {
        let known = kept.known.iter_mut().find(|known| Arc::ptr_eq(&known.module, &module))?;
        if let Some(code) = code {
            known.code = Some(code.clone_ref(py));
        }
        known.code.as_ref().map(|code| code.clone_ref(py))
    };
    if let Some(code) = known(&mut run.modules.kept(), None) {
        return Ok(Some(code));
    }
    let runtime = Runtime::get().map_err(|failure| bridge::exception(py, failure, false))?;
    let code = runtime.compile.bind(py).call1((&module.source, &module.file, "exec", 0, true))?.unbind();
    known(&mut run.modules.kept(), Some(&code));
    Ok(Some(code))
}
