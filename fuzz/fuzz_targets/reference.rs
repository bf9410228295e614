//! `file://` references: none leads out of the skill's folder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use skills::definition::{LoadOptions, read, validate};
use skills::{Scope, SkillFiles};
use std::sync::LazyLock;

/// A skill's folder with a file in it, and one beside it that no reference may reach.
static ROOT: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("skill")).unwrap();
    std::fs::write(root.path().join("skill/inside.rhai"), "1").unwrap();
    std::fs::write(root.path().join("outside.rhai"), "\"outside\"").unwrap();
    root
});

fuzz_target!(|reference: &str| {
    let folder = ROOT.path().join("skill");
    let text = json!({
        "name": "fuzzed", "description": "x", "type": "code_inline",
        "executor": {"type": "inline", "language": "rhai", "code": format!("file://{reference}")}
    });
    let file = folder.join("fuzzed.json");
    let files = SkillFiles::folder(&folder).unwrap();
    let Ok(raw) = read(&file.to_string_lossy(), &text.to_string(), files, Scope::Direct) else { return };
    if let Some(skill) = validate(&raw, &LoadOptions::default()).skill {
        assert!(!skill.script().is_some_and(|script| script.source.contains("outside")), "{reference}");
    }
});
