use super::load_text;
use crate::definition::{LoadOptions, read, validate};
use crate::{Scope, SkillFiles};
use std::path::Path;

/// A prompt skill that refers to one file.
fn referring(reference: &str) -> String {
    serde_json::json!({"type": "prompt_inline", "name": "p", "description": "d", "prompt": reference}).to_string()
}

/// The template that a reference gives, or the codes of what is wrong with it.
fn follow(folder: &Path, reference: &str, options: &LoadOptions) -> Result<String, Vec<&'static str>> {
    let loaded = load_text(folder, "p.json", &referring(reference), options);
    match loaded.skill.as_deref().map(|skill| &skill.body) {
        Some(crate::Body::Prompt { template, .. }) => Ok(template.clone()),
        _ => Err(loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()),
    }
}

#[test]
fn a_relative_reference_is_read_below_the_definition() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("a b")).unwrap();
    std::fs::write(folder.path().join("a b/ä%2e.md"), "text").unwrap();
    let options = LoadOptions::default();
    assert_eq!(follow(folder.path(), "file://./a%20b/%C3%A4%252e.md", &options).unwrap(), "text");
    assert_eq!(follow(folder.path(), "FILE://./a b/../a b/ä%252e.md", &options).unwrap(), "text");
}

#[test]
fn an_absolute_reference_is_read_below_allowed_folders_only() {
    let folder = tempfile::tempdir().unwrap();
    let shared = tempfile::tempdir().unwrap();
    std::fs::write(shared.path().join("shared.md"), "shared").unwrap();
    let reference = format!("file://{}/shared.md", shared.path().display());
    assert_eq!(follow(folder.path(), &reference, &LoadOptions::default()).unwrap_err(), ["S0060"]);
    let allowed = LoadOptions { absolute_folders: vec![shared.path().to_owned()], ..LoadOptions::default() };
    assert_eq!(follow(folder.path(), &reference, &allowed).unwrap(), "shared");
    // A folder that only begins like an allowed one, and one that `..` leads to, are others.
    let beside = format!("file://{}x/shared.md", shared.path().display());
    assert_eq!(follow(folder.path(), &beside, &allowed).unwrap_err(), ["S0060"]);
    let up = format!("file://{}/../shared.md", shared.path().display());
    assert_eq!(follow(folder.path(), &up, &allowed).unwrap_err(), ["S0060"]);
}

#[test]
fn a_reference_names_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for reference in ["file://", "file://.", "file://./", "file:///", "file:a.md", "file:/a.md"] {
        let refused = follow(folder.path(), reference, &LoadOptions::default());
        assert_eq!(refused.unwrap_err(), ["S0061"], "{reference}");
    }
    for reference in ["file://..", "file://./%2e%2e/%2e%2e/a.md", "file://.%2F..%2Fa.md"] {
        let refused = follow(folder.path(), reference, &LoadOptions::default());
        assert_eq!(refused.unwrap_err(), ["S0051"], "{reference}");
    }
    let refused = follow(folder.path(), "file://%2Fetc%2Fpasswd.txt", &LoadOptions::default());
    assert_eq!(refused.unwrap_err(), ["S0060"]);
}

#[test]
fn a_file_has_to_be_small_enough() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), "12345").unwrap();
    let most = |max_reference_bytes| LoadOptions { max_reference_bytes, ..LoadOptions::default() };
    assert_eq!(follow(folder.path(), "file://./a.md", &most(5)).unwrap(), "12345");
    assert_eq!(follow(folder.path(), "file://./a.md", &most(4)).unwrap_err(), ["S0054"]);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_and_special_files_are_refused() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.md"), "secret").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("inside.md"), "inside").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("out.md")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("outer")).unwrap();
    std::os::unix::fs::symlink("inside.md", folder.path().join("in.md")).unwrap();
    let options = LoadOptions::default();
    assert_eq!(follow(folder.path(), "file://./out.md", &options).unwrap_err(), ["S0052"]);
    assert_eq!(follow(folder.path(), "file://./outer/secret.md", &options).unwrap_err(), ["S0052"]);
    assert_eq!(follow(folder.path(), "file://./in.md", &options).unwrap(), "inside");
    // A link to itself cannot be read at all.
    std::os::unix::fs::symlink("loop.md", folder.path().join("loop.md")).unwrap();
    assert_eq!(follow(folder.path(), "file://./loop.md", &options).unwrap_err(), ["S0062"]);
    // Opening a pipe would wait for a writer for ever.
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.md")).status().unwrap();
    assert!(made.success());
    assert_eq!(follow(folder.path(), "file://./pipe.md", &options).unwrap_err(), ["S0053"]);
}

#[test]
fn the_digest_is_of_the_definition_and_every_file_but_not_of_their_place() {
    let digest = |content: &str, reference: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.md"), content).unwrap();
        std::fs::write(folder.path().join("b.md"), content).unwrap();
        let loaded = load_text(folder.path(), "p.json", &referring(reference), &LoadOptions::default());
        loaded.skill.unwrap().digest.clone()
    };
    let one = digest("x", "file://./a.md");
    assert_eq!(one.len(), 64);
    assert_eq!(one, digest("x", "file://./a.md"));
    assert_ne!(one, digest("y", "file://./a.md"));
    assert_ne!(one, digest("x", "file://./b.md"));
}

#[test]
fn scripts_beside_a_prompt_count_for_its_digest_and_have_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scripts")).unwrap();
    std::fs::write(folder.path().join("scripts/a%20b.sh"), "echo 1\n").unwrap();
    let text = r#"{"type": "prompt_inline", "name": "p", "description": "d", "prompt": "x",
        "scripts": ["scripts/a%20b.sh", "scripts/../../b.sh", "/etc/passwd", "scripts/missing.sh", "scripts"]}"#;
    let load = || load_text(folder.path(), "p.json", text, &LoadOptions::default());
    let loaded = load();
    let codes: Vec<&str> = loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["S0051", "S0051", "S0050", "S0053"]);
    let before = loaded.skill.unwrap();
    let crate::Body::Prompt { scripts, .. } = &before.body else { panic!("{:?}", before.body) };
    assert_eq!(scripts, &["scripts/a%20b.sh"]);
    std::fs::write(folder.path().join("scripts/a%20b.sh"), "echo 2\n").unwrap();
    assert_ne!(load().skill.unwrap().digest, before.digest);
}

#[test]
fn code_of_a_file_is_named_as_errors_name_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scripts")).unwrap();
    std::fs::write(folder.path().join("scripts/a.py"), "1\n").unwrap();
    let text = r#"{"type": "code_inline", "name": "a", "description": "d", "code": "file://./scripts/a.py"}"#;
    let loaded = load_text(folder.path(), "skills/a/a.json", text, &LoadOptions::default());
    assert_eq!(loaded.skill.unwrap().script().unwrap().file, "skills/a/scripts/a.py");
}

static SEEDS: include_dir::Dir<'static> =
    include_dir::include_dir!("$CARGO_MANIFEST_DIR/../tests/fixtures/definitions/seeds");

#[test]
fn a_compiled_in_skill_reads_its_files_and_nothing_else() {
    let load = |text: &str| {
        let raw = read("calculator.json", text, SkillFiles::embedded(&SEEDS), Scope::Bundled).unwrap();
        validate(&raw, &LoadOptions::default())
    };
    let text = SEEDS.get_file("v1-calculator.json").unwrap().contents_utf8().unwrap();
    let skill = load(text).skill.unwrap();
    assert!(skill.script().unwrap().source.starts_with("def run("));
    assert_eq!((skill.folder.as_ref(), skill.scope), (None, Scope::Bundled));
    let slip = load(&text.replace("scripts/calculator.py", "scripts/calculater.py"));
    assert_eq!(slip.diagnostics[0].help.as_deref(), Some("did you mean `file://./scripts/calculator.py`?"));
    let out = load(&text.replace("file://./scripts/calculator.py", "file://./../invalid/files/script.py"));
    assert_eq!(out.diagnostics[0].code, "S0051");
}
