//! The state of library modules: their attributes, and the little that is put back of what is inside of them.
//!
//! A module's attributes are copied when its import is complete, before whoever imports it sees it. CPython numbers the
//! changes to a dict, so that a run which changed nothing costs one comparison for each module.

use crate::memory;
use crate::watch::{Delta, Row, UNKNOWN, Watched};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyList, PyModule, PyString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is put back of the library modules that have been imported.
#[derive(Default)]
pub(crate) struct Library {
    kept: Mutex<Vec<Arc<Kept>>>,
}

struct Kept {
    /// The module, where it is a module's own dict.
    module: Option<(Py<PyString>, Py<PyAny>)>,
    state: State,
}

enum State {
    Dict(Watched),
    /// The dict of the root logger or its manager, and the latter.
    Logging(Watched, Py<PyAny>),
    Row(Row),
    Warnings(Row),
    Chance(Chance),
}

/// The generator behind the functions of `random`.
struct Chance {
    attributes: Py<PyDict>,
    seed: Py<PyAny>,
    random: Py<PyAny>,
    getstate: Py<PyAny>,
    setstate: Py<PyAny>,
    instance: Py<PyAny>,
    /// What `gauss` gives next. Seeding forgets it, and nothing but seeding and `gauss` does.
    mark: Mutex<Py<PyAny>>,
}

impl Library {
    // Never held while Python code may run, which could give the GIL to a thread that waits here.
    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a module that is completely imported.
    pub(crate) fn adopt(&self, py: Python<'_>, name: &Bound<'_, PyString>, module: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(as_module) = module.cast::<PyModule>() else { return Ok(()) };
        let text = name.to_str()?;
        // These are put back by themselves.
        if matches!(text, "sys" | "builtins" | "__main__") {
            return Ok(());
        }
        if self.kept().iter().any(|kept| kept.module.as_ref().is_some_and(|(_, known)| known.is(module))) {
            return Ok(());
        }
        let owner = Some((name.clone().unbind(), module.clone().unbind()));
        let mut found = vec![Kept { module: owner, state: State::Dict(Watched::new(as_module.dict())?) }];
        let mut more = |state| found.push(Kept { module: None, state });
        let dict = |owner: &Bound<'_, PyAny>, name: &str| -> PyResult<Watched> {
            Watched::new(owner.getattr(name)?.cast_into::<PyDict>().map_err(PyErr::from)?)
        };
        match text {
            "os" => more(State::Dict(dict(&module.getattr("environ")?, "_data")?)),
            "warnings" => more(State::Warnings(Row::of(module, "filters")?)),
            "logging" => {
                let root = module.getattr("root")?;
                let manager = root.getattr("manager")?;
                more(State::Row(Row::of(&root, "handlers")?));
                more(State::Row(Row::of(&root, "filters")?));
                more(State::Logging(dict(&root, "__dict__")?, manager.clone().unbind()));
                more(State::Logging(dict(&manager, "__dict__")?, manager.unbind()));
            }
            "random" => more(State::Chance(Chance::new(py, &module.getattr("_inst")?)?)),
            _ => {}
        }
        self.kept().extend(found.into_iter().map(Arc::new));
        Ok(())
    }

    /// The dicts that differ from their copies now, by address.
    pub(crate) fn changed(&self, py: Python<'_>) -> Vec<usize> {
        let kept = self.kept();
        let changed = kept.iter().filter(|kept| kept.changed_at(py).is_some());
        changed.map(|kept| Arc::as_ptr(kept) as usize).collect()
    }

    /// Remembers a module whose import is complete, and what the import changed in others: all but what differed
    /// `before` it where no other run goes on (`alone`), else the module's own name in its package.
    pub(crate) fn imported(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyString>,
        module: &Bound<'_, PyAny>,
        before: &[usize],
        alone: bool,
    ) -> PyResult<()> {
        // What is kept is the engine's, not the run's that happens to be the first to import.
        // SAFETY: there is no meter to outlive the guard.
        let _unmetered = unsafe { memory::meter(std::ptr::null()) };
        self.adopt(py, name, module)?;
        if !alone {
            return self.adopt_child(py, name, module);
        }
        let kept: Vec<Arc<Kept>> = self.kept().iter().filter(|kept| kept.changed_at(py).is_some()).cloned().collect();
        for kept in kept {
            if let State::Dict(dict) = &kept.state
                && !before.contains(&(Arc::as_ptr(&kept) as usize))
            {
                dict.accept(py)?;
            }
        }
        Ok(())
    }

    fn adopt_child(&self, py: Python<'_>, name: &Bound<'_, PyString>, module: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some((package, child)) = name.to_str()?.rsplit_once('.') else { return Ok(()) };
        let package = self.kept().iter().find(|kept| kept.is_named(py, package)).cloned();
        match package.as_deref() {
            Some(Kept { state: State::Dict(dict), .. }) => dict.copy.bind(py).set_item(child, module),
            _ => Ok(()),
        }
    }

    /// Puts back what was changed, but for what a run may have changed that began at `earliest` and still goes on.
    pub(crate) fn restore(&self, py: Python<'_>, modules: &Bound<'_, PyDict>, earliest: Option<u64>) -> PyResult<()> {
        let changed: Vec<Arc<Kept>> = {
            let kept = self.kept();
            let changed = kept.iter().filter(|kept| {
                let at = kept.changed_at(py);
                at.is_some_and(|at| earliest.is_none_or(|earliest| earliest != UNKNOWN && at < earliest))
            });
            changed.cloned().collect()
        };
        let mut result = Ok(());
        for kept in changed {
            // One that cannot be put back should not keep the others from it.
            result = result.and(kept.restore(py, modules));
        }
        result
    }

    /// What differs now, of what was changed since a run began at `since`: a session takes it along.
    pub(crate) fn take(&self, py: Python<'_>, since: u64) -> Vec<Taken> {
        let changed: Vec<Arc<Kept>> = {
            let kept = self.kept();
            let own = |at: u64| at == UNKNOWN || since == UNKNOWN || at >= since;
            kept.iter().filter(|kept| kept.changed_at(py).is_some_and(own)).cloned().collect()
        };
        let taken = changed.into_iter().filter_map(|kept| {
            let change = kept.change(py).ok()??;
            Some(Taken { kept, change })
        });
        taken.collect()
    }

    /// Takes dicts and the generator of `random` as they are for what they should be: a fork has an environment of its own, and
    /// CPython seeds the generator anew there.
    pub(crate) fn accept(&self, py: Python<'_>) -> PyResult<()> {
        // Those only: in a fork each page that is written to, be it for counting who holds it, has to be copied.
        let kept: Vec<Arc<Kept>> = self.kept().iter().filter(|kept| kept.changed_at(py).is_some()).cloned().collect();
        kept.iter().try_for_each(|kept| match &kept.state {
            State::Dict(dict) | State::Logging(dict, _) => dict.accept(py),
            State::Chance(chance) => chance.mark(py),
            State::Row(_) | State::Warnings(_) => Ok(()),
        })
    }

    /// Forgets the modules that are not there any more.
    pub(crate) fn prune(&self, py: Python<'_>, modules: &Bound<'_, PyDict>) {
        let named: Vec<Arc<Kept>> = self.kept().iter().filter(|kept| kept.module.is_some()).cloned().collect();
        let gone: Vec<_> = named
            .into_iter()
            .filter(|kept| {
                let (name, module) = match &kept.module {
                    Some((name, module)) => (name.bind(py), module.bind(py)),
                    None => return false,
                };
                !modules.get_item(name).ok().flatten().is_some_and(|now| now.is(module))
            })
            .collect();
        if !gone.is_empty() {
            self.kept().retain(|kept| !gone.iter().any(|gone| Arc::ptr_eq(gone, kept)));
        }
    }
}

/// Something that a session changed in a library module, while none of its cells runs.
pub(crate) struct Taken {
    kept: Arc<Kept>,
    change: Change,
}

enum Change {
    Dict(Delta),
    List(Py<PyList>),
    /// The state of the generator, and what `gauss` gives next.
    Chance(Py<PyAny>, Option<Py<PyAny>>),
}

impl Taken {
    /// Makes the change again.
    pub(crate) fn apply(&self, py: Python<'_>) -> PyResult<()> {
        match (&self.kept.state, &self.change) {
            (State::Dict(dict), Change::Dict(delta)) => dict.apply(py, delta),
            (State::Logging(dict, manager), Change::Dict(delta)) => {
                dict.apply(py, delta)?;
                forget_levels(manager.bind(py))
            }
            (State::Row(row), Change::List(list)) => row.apply(py, list),
            (State::Warnings(row), Change::List(list)) => {
                row.apply(py, list)?;
                py.import("_warnings")?.call_method0("_filters_mutated").map(drop)
            }
            (State::Chance(chance), Change::Chance(state, next)) => chance.apply(py, state, next.as_ref()),
            _ => Ok(()),
        }
    }
}

impl Kept {
    /// What is different, for a session to take along.
    fn change(&self, py: Python<'_>) -> PyResult<Option<Change>> {
        Ok(match &self.state {
            State::Dict(dict) | State::Logging(dict, _) => dict.delta(py)?.map(Change::Dict),
            State::Row(row) | State::Warnings(row) => row.delta(py).map(Change::List),
            State::Chance(chance) => {
                let next = chance.attributes.bind(py).get_item(intern!(py, "gauss_next"))?;
                Some(Change::Chance(chance.getstate.call1(py, (&chance.instance,))?, next.map(Bound::unbind)))
            }
        })
    }

    fn is_named(&self, py: Python<'_>, wanted: &str) -> bool {
        self.module.as_ref().is_some_and(|(name, _)| name.bind(py).to_str().is_ok_and(|name| name == wanted))
    }

    /// When it was changed; `UNKNOWN` where it was and nothing says when.
    fn changed_at(&self, py: Python<'_>) -> Option<u64> {
        match &self.state {
            State::Dict(dict) | State::Logging(dict, _) => dict.changed_at(py),
            State::Row(row) | State::Warnings(row) => row.changed(py).then_some(UNKNOWN),
            State::Chance(chance) => chance.used(py).then_some(UNKNOWN),
        }
    }

    fn restore(&self, py: Python<'_>, modules: &Bound<'_, PyDict>) -> PyResult<()> {
        match &self.state {
            State::Dict(dict) => {
                if let Some((name, _)) = &self.module {
                    keep_children(py, name.bind(py).to_str()?, dict, modules)?;
                }
                dict.restore(py)
            }
            State::Logging(dict, manager) => {
                dict.restore(py)?;
                forget_levels(manager.bind(py))
            }
            State::Row(row) => row.restore(py),
            State::Warnings(row) => {
                row.restore(py)?;
                py.import("_warnings")?.call_method0("_filters_mutated").map(drop)
            }
            State::Chance(chance) => chance.restore(py),
        }
    }
}

/// A package keeps its modules: importing one again would not set its name again.
fn keep_children(py: Python<'_>, package: &str, dict: &Watched, modules: &Bound<'_, PyDict>) -> PyResult<()> {
    let copy = dict.copy.bind(py);
    for (key, value) in dict.live.bind(py).copy()?.iter() {
        let Ok(key) = key.cast_exact::<PyString>() else { continue };
        if value.is_instance_of::<PyModule>() && !copy.contains(key)? {
            let child = modules.get_item(format!("{package}.{}", key.to_str()?))?;
            if child.is_some_and(|child| child.is(&value)) {
                copy.set_item(key, value)?;
            }
        }
    }
    Ok(())
}

/// Loggers remember which levels are on.
fn forget_levels(manager: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = manager.py();
    let forget = |logger: &Bound<'_, PyAny>| {
        if let Ok(cache) = logger.getattr(intern!(py, "_cache"))
            && let Ok(cache) = cache.cast::<PyDict>()
        {
            cache.clear();
        }
    };
    forget(&manager.getattr(intern!(py, "root"))?);
    if let Ok(loggers) = manager.getattr(intern!(py, "loggerDict"))?.cast::<PyDict>() {
        loggers.values().iter().for_each(|logger| forget(&logger));
    }
    Ok(())
}

impl Chance {
    fn new(py: Python<'_>, instance: &Bound<'_, PyAny>) -> PyResult<Chance> {
        let class = py.import("_random")?.getattr("Random")?;
        let chance = Chance {
            attributes: instance.getattr("__dict__")?.cast_into::<PyDict>().map_err(PyErr::from)?.unbind(),
            seed: class.getattr("seed")?.unbind(),
            random: class.getattr("random")?.unbind(),
            getstate: class.getattr("getstate")?.unbind(),
            setstate: class.getattr("setstate")?.unbind(),
            instance: instance.clone().unbind(),
            mark: Mutex::new(py.None()),
        };
        chance.mark(py)?;
        Ok(chance)
    }

    /// Leaves the second of a pair of normal deviates for the next call of `gauss`, as a call of it does.
    fn mark(&self, py: Python<'_>) -> PyResult<()> {
        let uniform = || self.random.call1(py, (&self.instance,))?.extract::<f64>(py);
        let deviate = (uniform()? * std::f64::consts::TAU).sin() * (-2.0 * (1.0 - uniform()?).ln()).sqrt();
        let deviate = PyFloat::new(py, deviate);
        self.attributes.bind(py).set_item(intern!(py, "gauss_next"), &deviate)?;
        let previous = std::mem::replace(
            &mut *self.mark.lock().unwrap_or_else(PoisonError::into_inner),
            deviate.into_any().unbind(),
        );
        drop(previous);
        Ok(())
    }

    fn used(&self, py: Python<'_>) -> bool {
        let next = self.attributes.bind(py).get_item(intern!(py, "gauss_next"));
        let mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        !next.ok().flatten().is_some_and(|next| next.is(&*mark))
    }

    fn apply(&self, py: Python<'_>, state: &Py<PyAny>, next: Option<&Py<PyAny>>) -> PyResult<()> {
        self.setstate.call1(py, (&self.instance, state))?;
        match next {
            Some(next) => self.attributes.bind(py).set_item(intern!(py, "gauss_next"), next),
            None => Ok(()),
        }
    }

    fn restore(&self, py: Python<'_>) -> PyResult<()> {
        self.seed.call1(py, (&self.instance,))?;
        self.mark(py)
    }
}
