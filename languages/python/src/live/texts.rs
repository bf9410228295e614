//! The sources of what a session evaluated, so that errors and `inspect.getsource` show the lines of functions that an earlier
//! cell defined.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use skills_core::Script;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much source is kept, in bytes; of more the earliest is forgotten.
const MOST: usize = 8 << 20;

/// The sources by file. A file that comes again replaces what it was.
#[derive(Default)]
pub(crate) struct Texts {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By the order in which they came.
    scripts: BTreeMap<u64, Arc<Script>>,
    /// Where the one of a file is. A session may have evaluated thousands.
    places: HashMap<String, u64>,
    next: u64,
    bytes: usize,
}

impl Texts {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a file is known.
    pub(crate) fn has(&self, file: &str) -> bool {
        self.kept().places.contains_key(file)
    }

    /// What a file holds.
    pub(crate) fn get(&self, file: &str) -> Option<Arc<Script>> {
        let kept = self.kept();
        kept.scripts.get(kept.places.get(file)?).cloned()
    }

    /// Adds a script. `lines` is what `linecache` has while the session evaluates.
    pub(crate) fn add(&self, script: &Arc<Script>, lines: &Bound<'_, PyDict>) -> PyResult<()> {
        if self.get(&script.file).is_some_and(|known| Arc::ptr_eq(&known, script) || known.source == script.source) {
            return Ok(());
        }
        let gone = self.kept().add(script);
        for gone in gone {
            if gone.file != script.file && lines.contains(&gone.file)? {
                lines.del_item(&gone.file)?;
            }
        }
        let py = lines.py();
        let text = script.source.split_inclusive('\n').map(|line| match line.ends_with('\n') {
            true => PyString::new(py, line),
            // As `linecache` has them: each line ends.
            false => PyString::new(py, &format!("{line}\n")),
        });
        let entry = (script.source.len(), py.None(), PyList::new(py, text.collect::<Vec<_>>())?, &script.file);
        lines.set_item(&script.file, entry)
    }
}

impl Kept {
    /// Adds a script, and gives those that had to go.
    fn add(&mut self, script: &Arc<Script>) -> Vec<Arc<Script>> {
        self.next += 1;
        let before = self.places.insert(script.file.clone(), self.next);
        let mut gone: Vec<_> = before.and_then(|at| self.scripts.remove(&at)).into_iter().collect();
        self.bytes -= gone.iter().map(|gone| gone.source.len()).sum::<usize>();
        self.bytes += script.source.len();
        self.scripts.insert(self.next, Arc::clone(script));
        while self.bytes > MOST && self.scripts.len() > 1 {
            if let Some((_, first)) = self.scripts.pop_first() {
                self.places.remove(&first.file);
                self.bytes -= first.source.len();
                gone.push(first);
            }
        }
        gone
    }
}
