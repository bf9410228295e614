//! What is known of the names of all languages: where each was assigned last, and who has which version of it.

use super::words;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use skills_core::{Language, NameKind, Variable};
use std::collections::{BTreeMap, BTreeSet};

/// What tells a value from another one with the same name.
pub(super) type Digest = [u8; 32];

/// Types whose values never change in place, as the languages call them.
const FIXED: &[&str] = &[
    "int",
    "float",
    "bool",
    "str",
    "bytes",
    "NoneType",
    "complex",
    "number",
    "string",
    "boolean",
    "bigint",
    "undefined",
    "null",
    "symbol",
    "i64",
    "f64",
    "char",
    "()",
];

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Names {
    shared: BTreeMap<String, Shared>,
    languages: BTreeMap<Language, Known>,
}

/// A name that may be in several languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shared {
    /// Where it was assigned last.
    pub(super) home: Language,
    /// Counts its assignments.
    pub(super) version: u64,
    /// Whether it may have been changed in place since its digest was taken.
    pub(super) doubtful: bool,
    /// Of its JSON, when it was read last.
    pub(super) digest: Option<Digest>,
    /// Why it does not leave its home.
    pub(super) stays: Option<String>,
}

/// What is known of one language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    /// Its variables, as they were seen last.
    seen: BTreeMap<String, Seen>,
    /// The words of all its cells: a function of an earlier one may name a variable.
    words: BTreeSet<String>,
    /// Whether any of its cells reaches names without spelling them.
    reaches_all: bool,
    /// The version of what it was given by others.
    given: BTreeMap<String, u64>,
    /// The version of what could not be given to it.
    refused: BTreeMap<String, u64>,
    /// What is deleted, in a language that cannot delete.
    hidden: BTreeSet<String>,
}

/// A variable as it was seen, and the digest of its JSON where it was given from elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    variable: Variable,
    digest: Option<Digest>,
}

impl Seen {
    /// Whether the same looks mean the same value.
    fn is_exact(&self) -> bool {
        self.variable.shown.chars().count() < 80 && !self.variable.shown.ends_with('…')
    }
}

/// What a cell did to a name, as far as looks tell.
pub(super) enum Change {
    /// It looks different, or is new.
    Assigned,
    /// It looks the same, and may differ inside. With the digest that it had.
    Doubtful(Option<Digest>),
}

pub(super) fn digest(json: &serde_json::Value) -> Digest {
    Sha256::digest(json.to_string()).into()
}

impl Names {
    pub(super) fn home(&self, name: &str) -> Option<Language> {
        self.shared.get(name).map(|shared| shared.home)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.shared.keys().map(String::as_str)
    }

    /// Whether a list shows a name as one of a language: where it was assigned last, or where it is something else than there.
    /// With why it stays where it is.
    pub(super) fn shows(&self, name: &str, language: Language) -> Option<Option<String>> {
        let shared = self.shared.get(name);
        if self.languages.get(&language).is_some_and(|known| known.hidden.contains(name)) {
            return None;
        }
        let given = self.languages.get(&language).is_some_and(|known| known.given.contains_key(name));
        match shared {
            Some(shared) if shared.home == language => Some(shared.stays.clone()),
            Some(_) if given => None,
            _ => Some(None),
        }
    }

    /// Notes what a cell says, and gives the names of other languages that it needs.
    pub(super) fn wanted(&mut self, language: Language, code: &str) -> Vec<String> {
        let known = self.languages.entry(language).or_default();
        let words = words::of(code);
        known.reaches_all |= words::reach_all(&words);
        known.words.extend(words.into_iter().map(str::to_owned));
        let known = &self.languages[&language];
        let named = |name: &String| known.reaches_all || known.words.contains(name);
        let old = |name: &String, shared: &Shared| {
            let newest = known.given.get(name).max(known.refused.get(name));
            shared.doubtful || newest.is_none_or(|version| *version < shared.version)
        };
        let mut wanted = Vec::new();
        for (name, shared) in &self.shared {
            if shared.home != language && named(name) && old(name, shared) {
                wanted.push(name.clone());
            }
        }
        wanted
    }

    pub(super) fn entry(&mut self, name: &str) -> Option<&mut Shared> {
        self.shared.get_mut(name)
    }

    /// Which version of a name a language was given.
    pub(super) fn given(&self, name: &str, language: Language) -> Option<u64> {
        self.languages.get(&language)?.given.get(name).copied()
    }

    /// Notes that a language has a version of a name now; how it looks there is seen next.
    pub(super) fn gave(&mut self, name: &str, language: Language, version: u64) {
        let known = self.languages.entry(language).or_default();
        known.given.insert(name.to_owned(), version);
        known.hidden.remove(name);
        known.seen.remove(name);
    }

    /// Notes that a version of a name cannot be given to a language: not tried again until it is assigned anew.
    pub(super) fn refused(&mut self, name: &str, language: Language, version: u64) {
        self.languages.entry(language).or_default().refused.insert(name.to_owned(), version);
    }

    /// Notes that a language has a name no more that it was given.
    pub(super) fn took(&mut self, name: &str, language: Language) {
        if let Some(known) = self.languages.get_mut(&language) {
            known.given.remove(name);
            known.seen.remove(name);
        }
    }

    /// Notes how what was given looks, and its digest.
    pub(super) fn base(&mut self, language: Language, variable: Variable, digest: Option<Digest>) {
        let known = self.languages.entry(language).or_default();
        known.seen.insert(variable.name.clone(), Seen { variable, digest });
    }

    /// A name was assigned in a language.
    pub(super) fn assigned(&mut self, name: &str, language: Language) {
        let shared = self.shared.entry(name.to_owned()).or_insert(Shared {
            home: language,
            version: 0,
            doubtful: false,
            digest: None,
            stays: None,
        });
        shared.home = language;
        shared.version += 1;
        shared.doubtful = false;
        shared.digest = None;
        shared.stays = None;
        if let Some(known) = self.languages.get_mut(&language) {
            known.given.remove(name);
            known.hidden.remove(name);
        }
    }

    /// Notes a name that is deleted and still there, as it looks.
    pub(super) fn hide(&mut self, language: Language, variable: Variable) {
        self.languages.entry(language).or_default().hidden.insert(variable.name.clone());
        self.base(language, variable, None);
    }

    /// What changed in a language: names that were assigned or may have been, and those that are gone. `code` is what ran
    /// since it was seen last; anything may have where there is none.
    pub(super) fn compare(
        &mut self,
        language: Language,
        variables: &[Variable],
        code: Option<&str>,
    ) -> (Vec<(String, Change)>, Vec<String>) {
        let known = self.languages.entry(language).or_default();
        let touches = code.is_none_or(|code| known.could_touch(code));
        let mut changes = Vec::new();
        for variable in variables {
            match known.seen.get(&variable.name) {
                Some(seen) if seen.variable != *variable => changes.push((variable.name.clone(), Change::Assigned)),
                Some(seen) if touches && !seen.is_exact() && !FIXED.contains(&variable.type_name.as_str()) => {
                    changes.push((variable.name.clone(), Change::Doubtful(seen.digest)));
                }
                Some(_) => {}
                None => changes.push((variable.name.clone(), Change::Assigned)),
            }
        }
        let there: BTreeSet<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
        let gone: Vec<String> = known.seen.keys().filter(|name| !there.contains(name.as_str())).cloned().collect();
        for name in &gone {
            known.seen.remove(name);
        }
        for variable in variables {
            let digest = known.seen.remove(&variable.name).filter(|seen| seen.variable == *variable);
            let seen = Seen { variable: variable.clone(), digest: digest.and_then(|seen| seen.digest) };
            known.seen.insert(variable.name.clone(), seen);
        }
        (changes, gone)
    }

    /// Forgets a name everywhere; gives the languages that still have it.
    pub(super) fn delete(&mut self, name: &str, language: Language) -> Vec<Language> {
        let shared = self.shared.get(name);
        let own = self.languages.get_mut(&language).is_some_and(|known| known.given.remove(name).is_some());
        // What is a name of another language's own is not this one's to delete.
        if !shared.is_some_and(|shared| shared.home == language || own) {
            return Vec::new();
        }
        let home = self.shared.remove(name).map(|shared| shared.home);
        let has = |other: &(&Language, &Known)| {
            *other.0 != language && (Some(*other.0) == home || other.1.given.contains_key(name))
        };
        self.languages.iter().filter(has).map(|(other, _)| *other).collect()
    }

    /// Forgets a language whose session is gone.
    pub(super) fn forget(&mut self, language: Language) {
        self.languages.remove(&language);
        self.shared.retain(|_, shared| shared.home != language);
    }
}

impl Known {
    /// Whether code could change a value in place: it names something that can be changed, or that can do anything.
    fn could_touch(&self, code: &str) -> bool {
        let words = words::of(code);
        let can = |variable: &Variable| match variable.kind {
            NameKind::Value => !FIXED.contains(&variable.type_name.as_str()),
            NameKind::Module => false,
            _ => true,
        };
        words::reach_all(&words)
            || words.iter().any(|word| self.seen.get(*word).is_some_and(|seen| can(&seen.variable)))
    }
}
