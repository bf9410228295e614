//! Whether a definition is valid, kept beside what was read of it, so that listing a thousand of them checks none again.

#![allow(clippy::disallowed_methods, reason = "looks at files from outside, and opens none")]

use super::cache::Stamp;
use super::entry::folder_of;
use crate::definition::{self, LoadOptions};
use crate::{Scope, SkillFiles};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What checking a definition came to. It holds as long as the files that the definition refers to look the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Verdict {
    /// How many errors it has.
    pub(super) errors: usize,
    /// The files that it refers to, from its folder; `None` for one that is not there.
    files: Vec<(PathBuf, Option<Stamp>)>,
}

impl Verdict {
    /// Checks a definition. `None` where the result cannot be kept: it depends on files elsewhere, or on one that changed
    /// just now.
    pub(super) fn of(file: &str, path: &Path, text: &str, scope: Scope, now: Duration) -> Option<Verdict> {
        let folder = folder_of(path);
        let raw = match definition::read(file, text, SkillFiles::folder(folder).ok()?, scope) {
            Ok(raw) => raw,
            Err(found) => return Some(Verdict { errors: found.len(), files: Vec::new() }),
        };
        // Before they are read: what changes meanwhile looks different afterwards.
        let files: Vec<_> = raw.references()?.into_iter().map(|path| (look(folder, &path), path)).collect();
        if files.iter().any(|(stamp, _)| stamp.is_some_and(|stamp| !stamp.is_settled(now))) {
            return None;
        }
        let options = LoadOptions { schema_check: false, ..LoadOptions::default() };
        let found = definition::validate(&raw, &options).diagnostics;
        let errors = found.iter().filter(|diagnostic| diagnostic.is_error()).count();
        Some(Verdict { errors, files: files.into_iter().map(|(stamp, path)| (path, stamp)).collect() })
    }

    /// Whether everything that the definition at a path refers to still looks the same.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.files.iter().all(|(file, stamp)| look(folder_of(path), file) == *stamp)
    }
}

fn look(folder: &Path, file: &Path) -> Option<Stamp> {
    std::fs::metadata(folder.join(file)).ok().map(|metadata| Stamp::of_ambient(&metadata))
}
