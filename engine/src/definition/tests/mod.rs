//! What a user sees of definitions: fixtures as files, the seeds key by key, references, and arbitrary text.

mod fixtures;
mod properties;
mod references;
mod seeds;

use super::{LoadOptions, Loaded, read, validate};
use crate::{Scope, Skill, SkillFiles};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the fixtures are.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/definitions")
}

/// Loads a text as the file `name` of a folder.
fn load_text(folder: &Path, name: &str, text: &str, options: &LoadOptions) -> Loaded {
    let files = SkillFiles::folder(folder).unwrap();
    match read(name, text, files, Scope::Direct) {
        Ok(raw) => validate(&raw, options),
        Err(diagnostics) => Loaded { skill: None, diagnostics },
    }
}

/// Loads a text that refers to nothing.
fn load(text: &str) -> Loaded {
    match read("test.json", text, SkillFiles::empty(), Scope::Direct) {
        Ok(raw) => validate(&raw, &LoadOptions::default()),
        Err(diagnostics) => Loaded { skill: None, diagnostics },
    }
}

/// The skill of a text that has to load.
fn skill(text: &str) -> Arc<Skill> {
    let loaded = load(text);
    loaded.skill.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

/// The codes of what is wrong with a text, in order.
fn codes(text: &str) -> Vec<&'static str> {
    load(text).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}
