use crate::source::{Columns, Definition, Kind};
use skills_core::Script;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

/// How much source text a session remembers, in bytes, and of how many cells: no limit of the script's own counts it.
const MOST_TEXT: usize = 8 << 20;
const MOST_CELLS: usize = 2000;

/// The scripts of a session's cells, by the names under which stack traces know them.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    known: HashMap<String, (Arc<Script>, Columns)>,
    order: VecDeque<String>,
    size: usize,
}

impl Sources {
    /// Remembers a script, and forgets the oldest where there are too many.
    pub(crate) fn add(&mut self, resource: &str, script: Arc<Script>, columns: Columns) {
        self.size += script.source.len();
        self.order.push_back(resource.to_owned());
        self.known.insert(resource.to_owned(), (script, columns));
        while self.size > MOST_TEXT || self.order.len() > MOST_CELLS {
            let Some(oldest) = self.order.pop_front() else { return };
            if let Some((script, _)) = self.known.remove(&oldest) {
                self.size -= script.source.len();
            }
        }
    }

    /// Takes over what others know.
    pub(crate) fn take(&mut self, others: &mut Sources) {
        let Sources { mut known, order, .. } = std::mem::take(others);
        for resource in order {
            if let Some((script, columns)) = known.remove(&resource) {
                self.add(&resource, script, columns);
            }
        }
    }

    pub(crate) fn find(&self, resource: &str) -> Option<(&Script, &Columns)> {
        self.known.get(resource).map(|(script, columns)| (&**script, columns))
    }
}

/// A function or a class that a session knows the source of.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) script: Arc<Script>,
    pub(crate) definition: Definition,
}

impl Known {
    /// Its source, as its author wrote it.
    pub(crate) fn source(&self) -> &str {
        let span = self.definition.span;
        self.script.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// The functions and classes of a session's cells, by what the engine says is their text.
///
/// The engine gives the text as it was compiled, which is not the source: types are blanked out of it, counters are in it.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    random: RandomState,
    known: HashMap<u64, Vec<Known>>,
    /// For each cell, what of it is known, and how many bytes that keeps.
    order: VecDeque<(Vec<u64>, usize)>,
    size: usize,
    /// What has been asked for since [`Definitions::begin`].
    asked: Vec<Known>,
    places: HashMap<u64, usize>,
}

impl Definitions {
    /// Remembers the definitions of a compiled body, and forgets the oldest cells where there are too many.
    pub(crate) fn add(&mut self, script: &Arc<Script>, body: &str, found: Vec<(Definition, Vec<Range<usize>>)>) {
        let mut hashes = Vec::new();
        for (definition, places) in found {
            for place in places {
                let Some(text) = body.get(place) else { continue };
                let hash = self.random.hash_one(text);
                let all = self.known.entry(hash).or_default();
                // The same text at several places is the same function, unless one of them is bound to its place.
                if all.iter().all(|other| other.definition.problem != definition.problem) {
                    all.push(Known { script: Arc::clone(script), definition: definition.clone() });
                    hashes.push(hash);
                }
            }
        }
        if hashes.is_empty() {
            return;
        }
        let size = script.source.len() + hashes.len() * size_of::<Known>();
        self.size += size;
        self.order.push_back((hashes, size));
        while self.size > MOST_TEXT {
            let Some((hashes, size)) = self.order.pop_front() else { return };
            for hash in hashes {
                self.known.remove(&hash);
            }
            self.size = self.size.saturating_sub(size);
        }
    }

    /// Forgets what was asked for.
    pub(crate) fn begin(&mut self) {
        self.asked.clear();
        self.places.clear();
    }

    /// What was asked for, in the order of the numbers that were answered.
    pub(crate) fn asked(&self) -> &[Known] {
        &self.asked
    }

    /// What is known of a text, for a person.
    pub(crate) fn look(&self, text: &str) -> Option<&Known> {
        self.known.get(&self.random.hash_one(text))?.first()
    }

    /// Answers `=` and the number of a definition, with `#` before the number for a class whose instances have private
    /// fields; `!` and why there is none; or nothing where the text is none of the session's.
    pub(crate) fn find(&mut self, text: &str) -> String {
        let hash = self.random.hash_one(text);
        let Some(all) = self.known.get(&hash) else { return String::new() };
        if let Some(problem) = all.iter().find_map(|known| known.definition.problem.as_deref()) {
            return format!("!{problem}");
        }
        let Some(known) = all.first() else { return String::new() };
        let number = *self.places.entry(hash).or_insert_with(|| {
            self.asked.push(known.clone());
            self.asked.len() - 1
        });
        let mark = if known.definition.private { "#" } else { "" };
        let class = if known.definition.kind == Kind::Class { "c" } else { "f" };
        format!("={mark}{class}{number}")
    }
}
