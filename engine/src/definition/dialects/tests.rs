//! Each file in `tests/fixtures/definitions/dialects` with what a user sees of it: the diagnostics, then the v2 form.
//! `UPDATE_EXPECTED=1` writes the expectations anew.

use crate::definition::{LoadOptions, Loaded, classify, read, upgrade, validate};
use crate::{Diagnostic, Dialect, Scope, SkillFiles};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(crate) fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/definitions").join(folder)
}

/// Compares with the file of expectations, or writes it.
pub(crate) fn expect(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(path, found).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs; UPDATE_EXPECTED=1 writes it anew", path.display());
}

pub(crate) fn rendered(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| format!("{}\n\n", diagnostic.render(false))).collect()
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(json_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn load(name: &str, text: &str, folder: &Path) -> (Dialect, Loaded, Result<String, Vec<Diagnostic>>) {
    let raw = read(name, text, SkillFiles::folder(folder).unwrap(), Scope::Direct).unwrap();
    (raw.dialect(), validate(&raw, &LoadOptions::default()), upgrade(&raw))
}

/// A skill as JSON, with its code, and without what says how and where it was written.
fn meaning(loaded: &Loaded) -> Option<Value> {
    let skill = loaded.skill.as_ref()?;
    let mut value = serde_json::to_value(&**skill).unwrap();
    for key in ["file", "dialect", "digest"] {
        value.as_object_mut().unwrap().remove(key).unwrap();
    }
    value["code"] = skill.script().map(|script| script.source.clone()).into();
    Some(value)
}

#[test]
fn fixtures_are_reported_and_upgraded() {
    let files = json_files(&fixtures("dialects"));
    assert!(files.len() > 15, "{files:?}");
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (dialect, loaded, upgraded) = load(name, &std::fs::read_to_string(&path).unwrap(), path.parent().unwrap());
        let loads = if loaded.skill.is_some() { "loads" } else { "does not load" };
        let written = upgraded.unwrap_or_else(|_| "not upgraded\n".to_owned());
        let seen = format!("{dialect:?}, {loads}\n\n{}{written}", rendered(&loaded.diagnostics));
        expect(&path.with_extension("expected"), &seen);
    }
}

#[test]
fn an_upgraded_file_means_the_same() {
    let mut compared = 0;
    for path in json_files(&fixtures("dialects")).into_iter().chain(json_files(&fixtures("valid"))) {
        let (name, folder) = (path.file_name().unwrap().to_str().unwrap(), path.parent().unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        // Companion files stand beside definitions.
        if classify(&text).is_none() {
            continue;
        }
        let (_, before, upgraded) = load(name, &text, folder);
        let Some(before) = meaning(&before) else { continue };
        let upgraded = upgraded.unwrap();
        let (dialect, after, again) = load(name, &upgraded, folder);
        assert_eq!(dialect, Dialect::V2, "{name}:\n{upgraded}");
        assert_eq!(meaning(&after), Some(before), "{name}:\n{upgraded}\n{}", rendered(&after.diagnostics));
        assert_eq!(again.unwrap(), upgraded, "{name}: an upgraded file has nothing left to upgrade");
        compared += 1;
    }
    assert!(compared > 12, "only {compared} were compared");
}

#[test]
fn content_decides_which_form_a_file_has() {
    for (text, dialect) in [
        (r#"{"name":"a","implementation":{"command":"b"}}"#, Some(Dialect::Implementation)),
        (r#"{"name":"a","skill_type":"code_inline","implementation":{"command":"b"}}"#, Some(Dialect::Implementation)),
        (r#"{"name":"a","type":"code_inline","implementation":{"command":"b"}}"#, Some(Dialect::Implementation)),
        (r#"{"command":"a","handler":{"type":"command","executable":"b"}}"#, Some(Dialect::SlashCommand)),
        (r#"{"name":"a","handler":{"Script":{"command":"b"}}}"#, Some(Dialect::CustomCommand)),
        (r#"{"name":"a","command":{"program":"b"}}"#, Some(Dialect::ProgramCommand)),
        (r#"{"name":"a","commands":[{"command":"b"}]}"#, Some(Dialect::CommandList)),
        (r#"{"name":"a","steps":[{"tool":"b"}]}"#, Some(Dialect::Workflow)),
        (r#"{"name":"a","type":"code_inline","command":"b"}"#, Some(Dialect::V2)),
        (r#"{"skill_type":"code_inline","metadata":{"name":"a"}}"#, Some(Dialect::V1)),
        // Companions: a conversation's flow, a manifest of another program, a list.
        (r#"{"name":"flow","steps":[{"question":"why?"}]}"#, None),
        (r#"{"name":"a","version":"1.0.0","scripts":{"test":"b"}}"#, None),
        (r#"[{"implementation":{}}]"#, None),
        (r#"{"commands":[]}"#, None),
    ] {
        assert_eq!(classify(text), dialect, "{text}");
    }
}

#[test]
fn comments_are_lost_and_numbers_stay() {
    let text = "{// why\n\"name\":\"a\",\"description\":\"b\",\"type\":\"prompt_inline\",\"prompt\":\"p\",\"metadata\":{\"big\":12345678901234567890123,\"x\":1.50}}";
    let (_, _, upgraded) = load("a.json", text, &fixtures("dialects"));
    let upgraded = upgraded.unwrap();
    assert!(!upgraded.contains("why"), "{upgraded}");
    assert!(upgraded.contains("12345678901234567890123") && upgraded.contains("1.50"), "{upgraded}");
}
