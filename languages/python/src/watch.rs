//! Noticing that a dict or a list of CPython was changed, and making it what it was.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::sync::atomic::{AtomicU64, Ordering};

/// What [`Watched::changed_at`] says where CPython has no number for the change.
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// A dict, a copy of it, and the version at which the two were last equal.
pub(crate) struct Watched {
    pub(crate) live: Py<PyDict>,
    pub(crate) copy: Py<PyDict>,
    version: AtomicU64,
}

impl Watched {
    pub(crate) fn new(live: Bound<'_, PyDict>) -> PyResult<Watched> {
        let copy = live.copy()?.unbind();
        let version = AtomicU64::new(version(&live));
        Ok(Watched { live: live.unbind(), copy, version })
    }

    /// When the dict was last changed, in the time of [`now`]; `None` where it surely equals its copy.
    pub(crate) fn changed_at(&self, py: Python<'_>) -> Option<u64> {
        let now = version(self.live.bind(py));
        (now == UNKNOWN || now != self.version.load(Ordering::Relaxed)).then_some(now)
    }

    pub(crate) fn settled(&self, py: Python<'_>) {
        self.version.store(version(self.live.bind(py)), Ordering::Relaxed);
    }

    /// Takes the dict as it is for what it should be.
    pub(crate) fn accept(&self, py: Python<'_>) -> PyResult<()> {
        let (live, copy) = (self.live.bind(py), self.copy.bind(py));
        copy.clear();
        copy.update(live.as_mapping())?;
        self.settled(py);
        Ok(())
    }

    /// Makes the dict what it was.
    pub(crate) fn restore(&self, py: Python<'_>) -> PyResult<()> {
        if self.changed_at(py).is_none() {
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

/// What a dict holds that it should not, or not hold.
pub(crate) struct Delta {
    set: Vec<(Py<PyAny>, Py<PyAny>)>,
    gone: Vec<Py<PyAny>>,
}

impl Watched {
    /// How the dict differs from its copy; `None` where it does not.
    pub(crate) fn delta(&self, py: Python<'_>) -> PyResult<Option<Delta>> {
        if self.changed_at(py).is_none() {
            return Ok(None);
        }
        let (live, copy) = (self.live.bind(py), self.copy.bind(py));
        let mut delta = Delta { set: Vec::new(), gone: Vec::new() };
        for (key, value) in live.iter() {
            if !copy.get_item(&key)?.is_some_and(|before| before.is(&value)) {
                delta.set.push((key.unbind(), value.unbind()));
            }
        }
        if copy.len() + delta.set.len() > live.len() {
            for key in copy.keys() {
                if !live.contains(&key)? {
                    delta.gone.push(key.unbind());
                }
            }
        }
        Ok((!delta.set.is_empty() || !delta.gone.is_empty()).then_some(delta))
    }

    /// Makes the dict differ as it did.
    pub(crate) fn apply(&self, py: Python<'_>, delta: &Delta) -> PyResult<()> {
        let live = self.live.bind(py);
        delta.set.iter().try_for_each(|(key, value)| live.set_item(key, value))?;
        for key in &delta.gone {
            if live.contains(key)? {
                live.del_item(key)?;
            }
        }
        Ok(())
    }

    /// The number of the dict's last change.
    pub(crate) fn version(&self, py: Python<'_>) -> u64 {
        version(self.live.bind(py))
    }
}

/// A list and a copy of it.
pub(crate) struct Row {
    live: Py<PyList>,
    copy: Py<PyList>,
}

impl Row {
    /// The list that is an attribute of `owner`.
    pub(crate) fn of(owner: &Bound<'_, PyAny>, name: &str) -> PyResult<Row> {
        let live = owner.getattr(name)?.cast_into::<PyList>().map_err(PyErr::from)?;
        let copy = live.get_slice(0, live.len());
        Ok(Row { live: live.unbind(), copy: copy.unbind() })
    }

    pub(crate) fn changed(&self, py: Python<'_>) -> bool {
        let (live, copy) = (self.live.bind(py), self.copy.bind(py));
        live.len() != copy.len() || !live.iter().zip(copy.iter()).all(|(a, b)| a.is(&b))
    }

    /// The list.
    pub(crate) fn live<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        self.live.bind(py).clone()
    }

    /// What the list is, where it is not what it was.
    pub(crate) fn delta(&self, py: Python<'_>) -> Option<Py<PyList>> {
        let live = self.live.bind(py);
        self.changed(py).then(|| live.get_slice(0, live.len()).unbind())
    }

    /// Makes the list hold other items.
    pub(crate) fn apply(&self, py: Python<'_>, items: &Py<PyList>) -> PyResult<()> {
        let live = self.live.bind(py);
        live.set_slice(0, live.len(), items.bind(py))
    }

    /// Makes the list what it was.
    pub(crate) fn restore(&self, py: Python<'_>) -> PyResult<()> {
        if !self.changed(py) {
            return Ok(());
        }
        let live = self.live.bind(py);
        live.set_slice(0, live.len(), self.copy.bind(py))
    }
}

/// The time by CPython's own count of changes to dicts; [`UNKNOWN`] where this version of it has none.
pub(crate) fn now(py: Python<'_>) -> u64 {
    version(&PyDict::new(py))
}

/// CPython's own number of a dict's last change; [`UNKNOWN`] where this version of it has none.
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
        UNKNOWN
    }
}
