#![allow(clippy::disallowed_methods, reason = "only resolves links; files are opened through cap-std")]

use super::cache::Caches;
use super::entry::{Content, Entry, Place, Status, folder_of, inspect, read_text, stub};
use super::layout::Root;
use super::registry::Registry;
use super::walk::Walk;
use crate::definition::codes;
use crate::{Dialect, Scope, SkillFiles};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Why a name means no skill.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupError {
    /// There is no skill of that name or alias.
    NotFound {
        /// The name that was looked for.
        wanted: String,
        /// Names and aliases that are near it, the nearest first; at most three.
        near: Vec<String>,
    },
    /// Several skills claim the alias, and none of them wins.
    Ambiguous {
        /// The alias.
        alias: String,
        /// The skills, each with its scope: `project:deploy`.
        claimants: Vec<String>,
    },
    /// There is no definition at that path.
    NoFile {
        /// The path.
        path: PathBuf,
    },
}

impl LookupError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            LookupError::NotFound { near, .. } if near.is_empty() => None,
            LookupError::NotFound { near, .. } => Some(format!("did you mean {}?", or(near))),
            LookupError::Ambiguous { claimants, .. } => Some(format!("call it {}", or(claimants))),
            LookupError::NoFile { .. } => Some(
                "give a definition file, or a folder with a definition of the same name or a `SKILL.md`".to_owned(),
            ),
        }
    }
}

impl std::fmt::Display for LookupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LookupError::NotFound { wanted, .. } => write!(f, "there is no skill `{wanted}`"),
            LookupError::Ambiguous { alias, claimants } => {
                write!(f, "`{alias}` is an alias of {} skills: {}", claimants.len(), claimants.join(", "))
            }
            LookupError::NoFile { path } => write!(f, "there is no definition at {}", path.display()),
        }
    }
}

impl std::error::Error for LookupError {}

fn or(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

impl Registry {
    /// The skill of a name: the one of the highest precedence that is called so, else the one that has it as an alias.
    /// `scope:name` looks in one scope. A path, with a `/` or the ending of a definition file, names a definition
    /// file or the folder of one, wherever it is; one that no search found belongs to the scope `direct`.
    ///
    /// # Errors
    /// No such skill, with the nearest names; an alias that several skills claim; no definition at a path.
    pub fn find(&self, name: &str) -> Result<Cow<'_, Entry>, LookupError> {
        if let Some(entry) = self.named(name, None) {
            return Ok(Cow::Borrowed(entry));
        }
        if let Some(found) = self.of_alias(name, None) {
            return found.map(Cow::Borrowed);
        }
        if let Some((scope, rest)) = scoped(name) {
            if let Some(entry) = self.named(rest, Some(scope)) {
                return Ok(Cow::Borrowed(entry));
            }
            if let Some(found) = self.of_alias(rest, Some(scope)) {
                return found.map(Cow::Borrowed);
            }
        }
        if let Some(entry) = self.entries().iter().find(|entry| entry.file() == name) {
            return Ok(Cow::Borrowed(entry));
        }
        if is_path(name) {
            return self.at(Path::new(name));
        }
        let word = scoped(name).map_or(name, |(_, rest)| rest);
        Err(LookupError::NotFound { wanted: name.to_owned(), near: self.near(word) })
    }

    /// The skill of one scope that is called so, else the one of it that alone has the name as an alias.
    pub(crate) fn find_in(&self, name: &str, scope: Scope) -> Option<&Entry> {
        self.named(name, Some(scope)).or_else(|| self.of_alias(name, Some(scope))?.ok())
    }

    /// Whether [`Registry::find`] takes a name for a path, or for the file of an entry.
    pub(crate) fn is_path(name: &str) -> bool {
        is_path(name)
    }

    /// The definitions below a folder, wherever it is, as a search finds them.
    pub fn in_folder(&self, folder: &Path) -> Vec<Entry> {
        let mut walk = Walk::new(Caches::none());
        walk.root(&Root { scope: Scope::Direct, path: self.layout().absolute(folder), within: None });
        walk.entries
    }

    /// JSON files below a folder that are no definitions, but for those beside the definition of a folder of its own.
    pub fn others_in_folder(&self, folder: &Path) -> Vec<PathBuf> {
        let mut walk = Walk::new(Caches::none());
        walk.root(&Root { scope: Scope::Direct, path: self.layout().absolute(folder), within: None });
        walk.others
    }

    fn of_alias(&self, alias: &str, scope: Option<Scope>) -> Option<Result<&Entry, LookupError>> {
        match &self.claimants(alias, scope)[..] {
            [] => None,
            [only] => Some(Ok(only)),
            several => Some(Err(LookupError::Ambiguous {
                alias: alias.to_owned(),
                claimants: several.iter().map(|entry| entry.qualified_name()).collect(),
            })),
        }
    }

    /// The definition at a path: one that was found, or one that is read now.
    fn at(&self, path: &Path) -> Result<Cow<'_, Entry>, LookupError> {
        let no_file = || LookupError::NoFile { path: path.to_owned() };
        let path = self.definition_at(&self.layout().absolute(path)).ok_or_else(no_file)?;
        let real = std::fs::canonicalize(&path).map_err(|_| no_file())?;
        let is_same = |entry: &&Entry| {
            matches!(entry.place, Place::Folder)
                && entry.path.file_name() == real.file_name()
                && std::fs::canonicalize(&entry.path).is_ok_and(|path| path == real)
        };
        if let Some(entry) = self.entries().iter().find(is_same) {
            return Ok(Cow::Borrowed(entry));
        }
        let file = path.display().to_string();
        // The name was given, so that a link is followed is what was asked for.
        let files = SkillFiles::folder(folder_of(&real)).map_err(|_| no_file())?;
        let (summary, status) = match read_text(&files, &file, real.file_name().unwrap_or_default()) {
            Ok(text) => match inspect(&file, &text, Scope::Direct, true) {
                Content::Definition(summary) => (summary, Status::Ok),
                Content::Broken(summary, diagnostics) => (summary, Status::Broken(diagnostics)),
                // Loading says what it lacks.
                Content::Companion => (stub(&file, Dialect::V2), Status::Ok),
            },
            Err(diagnostic) if diagnostic.code == codes::UNREADABLE.id && !real.is_file() => return Err(no_file()),
            Err(diagnostic) => (stub(&file, Dialect::V2), Status::Broken(vec![*diagnostic])),
        };
        let (scope, place, rank) = (Scope::Direct, Place::Folder, usize::MAX);
        Ok(Cow::Owned(Entry { summary, scope, path: real, status, file, verdict: None, place, rank }))
    }

    /// The definition file that a path means: itself, or that of a folder.
    fn definition_at(&self, path: &Path) -> Option<PathBuf> {
        if !path.is_dir() {
            return path.exists().then(|| path.to_owned());
        }
        let name = std::fs::canonicalize(path).ok()?.file_name()?.to_string_lossy().into_owned();
        let own = [path.join(format!("{name}.json")), path.join("SKILL.md")].into_iter().find(|file| file.is_file());
        own.or_else(|| match &self.in_folder(path)[..] {
            [only] => Some(only.path.clone()),
            _ => None,
        })
    }

    /// Up to three names or aliases near a word: a slip away, or with the word in them.
    fn near(&self, word: &str) -> Vec<String> {
        let wanted = word.to_lowercase();
        let most = (wanted.chars().count() / 3).max(1);
        let names = self
            .visible()
            .flat_map(|entry| std::iter::once(entry.name()).chain(entry.summary.aliases.iter().map(String::as_str)));
        let mut near: Vec<(usize, &str)> = names
            .filter_map(|name| {
                let plain = name.to_lowercase();
                let distance = strsim::damerau_levenshtein(&wanted, &plain);
                let part = wanted.len() >= 3 && plain.contains(&wanted);
                (distance <= most || part).then_some((if part { distance.min(most + 1) } else { distance }, name))
            })
            .collect();
        near.sort_unstable();
        near.dedup();
        near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
    }
}

fn scoped(name: &str) -> Option<(Scope, &str)> {
    let (scope, rest) = name.split_once(':')?;
    let scopes = [Scope::Bundled, Scope::User, Scope::Project, Scope::Host];
    scopes.into_iter().find(|known| known.as_str() == scope).map(|scope| (scope, rest))
}

/// Whether a name means a path.
fn is_path(name: &str) -> bool {
    name.contains('/') || name == "." || name == ".." || name.ends_with(".json") || name.ends_with("SKILL.md")
}
