//! Each folder in `tests/fixtures/definitions/skill-md` with what a user sees of it: the diagnostics, then the skill.

use crate::definition::dialects::tests::{expect, fixtures, rendered};
use crate::definition::{LoadOptions, Loaded, classify, read, summarise, upgrade, validate};
use crate::{Body, Dialect, Scope, SkillFiles};
use std::path::Path;

fn load(folder: &Path, file: &str, text: &str) -> Loaded {
    match read(file, text, SkillFiles::folder(folder).unwrap(), Scope::Direct) {
        Ok(raw) => {
            assert_eq!(raw.dialect(), Dialect::SkillMd);
            validate(&raw, &LoadOptions::default())
        }
        Err(diagnostics) => Loaded { skill: None, diagnostics },
    }
}

/// What is reported about a text that stands in no folder.
fn codes(text: &str) -> Vec<(&'static str, usize, usize)> {
    let diagnostics = match read("SKILL.md", text, SkillFiles::empty(), Scope::Direct) {
        Ok(raw) => validate(&raw, &LoadOptions::default()).diagnostics,
        Err(diagnostics) => diagnostics,
    };
    diagnostics.iter().map(|diagnostic| (diagnostic.code, diagnostic.line, diagnostic.column)).collect()
}

/// What the expectations show of a skill.
const SHOWN: [&str; 9] = ["name", "description", "version", "author", "license", "type", "dialect", "body", "metadata"];

#[test]
fn folders_are_read() {
    let all = fixtures("skill-md");
    let mut folders: Vec<_> = std::fs::read_dir(&all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() >= 10, "{folders:?}");
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(folder.join("SKILL.md")).unwrap();
        let loaded = load(&folder, &format!("{name}/SKILL.md"), &text);
        let mut seen = rendered(&loaded.diagnostics);
        if let Some(skill) = loaded.skill {
            let mut value = serde_json::to_value(&*skill).unwrap();
            value.as_object_mut().unwrap().retain(|key, _| SHOWN.contains(&key.as_str()));
            seen += &format!("{}\n", serde_json::to_string_pretty(&value).unwrap());
        }
        expect(&all.join(format!("{name}.expected")), &seen);
    }
}

#[test]
fn the_body_is_the_template_as_it_is() {
    let text = "\u{feff}---\r\nname: a\r\ndescription: b\r\n---\r\n\r\n {x} {{y}}\r\n---\r\nmore\r\n";
    let raw = read("a/SKILL.md", text, SkillFiles::empty(), Scope::Direct).unwrap();
    let loaded = validate(&raw, &LoadOptions::default());
    let skill = loaded.skill.unwrap();
    let Body::Prompt { template, scripts } = &skill.body else { panic!("{:?}", skill.body) };
    assert_eq!(template, "\r\n {x} {{y}}\r\n---\r\nmore\r\n");
    assert!(scripts.is_empty());
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
}

#[test]
fn a_front_matter_is_enough_to_be_one() {
    assert_eq!(classify("---\nname: a\n---\n"), Some(Dialect::SkillMd));
    assert_eq!(classify("---\nname: a\n"), None);
    assert_eq!(classify("# A readme\n---\n---\n"), None);
    let summary = summarise("x/SKILL.md", "---\nname: x\ndescription: does x\n---\nbody").unwrap();
    assert_eq!((summary.name.as_str(), summary.description.as_str()), ("x", "does x"));
}

#[test]
fn errors_of_the_yaml_have_their_place() {
    assert_eq!(codes("---\nname: a\ndescription: b\nname: c\n---\nd"), [("S0003", 4, 1)]);
    assert_eq!(codes("---\nname: a\ndescription: \"b\n---\nd")[0].0, "S0120");
    assert_eq!(codes("---\n- name\n---\nd")[0].0, "S0120");
    assert_eq!(codes("---\nname: a\nmetadata: {<<: {b: c}}\n---\nd")[0].0, "S0120");
}

#[test]
fn what_expands_or_nests_without_end_is_refused() {
    // Nine levels of ten aliases are a thousand million values.
    let mut bomb = String::from("---\nname: a\ndescription: b\nmetadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("  a{level}: &a{level} [{below}]\n"));
    }
    bomb.push_str("---\nbody");
    let deep = format!("---\nname: a\ndescription: b\nmetadata: {}{}\n---\nbody", "[".repeat(60), "]".repeat(60));
    let deeper = format!("---\nname: a\nmetadata: {}\n---\nbody", "[".repeat(30_000));
    let nested = format!("---\nname: a\nmetadata: {}\n---\nbody", "- ".repeat(30_000));
    let long = format!("---\nname: a\ndescription: {}\n---\nbody", "x".repeat(70_000));
    let itself = "---\nname: a\ndescription: b\nmetadata: &m\n  again: *m\n---\nbody";
    for text in [bomb.as_str(), &deep, &deeper, &nested, &long, itself] {
        let codes = codes(text);
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert!(codes[0].0 == "S0121" || codes[0].0 == "S0120", "{codes:?} for {}…", &text[..60]);
    }
    assert_eq!(codes(&bomb)[0].0, "S0121");
    assert_eq!(codes(&long)[0].0, "S0121");
}

#[test]
fn aliases_within_bounds_are_written_out() {
    let text = "---\nname: a\ndescription: b\nmetadata: {x: &x [1, 2], y: *x}\n---\nbody";
    let raw = read("a/SKILL.md", text, SkillFiles::empty(), Scope::Direct).unwrap();
    let skill = validate(&raw, &LoadOptions::default()).skill.unwrap();
    assert_eq!(serde_json::to_value(&skill.metadata).unwrap(), serde_json::json!({"x": [1, 2], "y": [1, 2]}));
}

#[cfg(unix)]
#[test]
fn a_script_behind_a_link_out_of_the_folder_is_not_there() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.py"), "1").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scripts")).unwrap();
    std::fs::write(folder.path().join("scripts/own.py"), "1").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.py"), folder.path().join("scripts/link.py")).unwrap();
    std::os::unix::fs::symlink("own.py", folder.path().join("scripts/inside.py")).unwrap();
    let loaded = load(folder.path(), "a/SKILL.md", "---\nname: a\ndescription: b\n---\nc");
    let Body::Prompt { scripts, .. } = &loaded.skill.unwrap().body else { panic!() };
    assert_eq!(scripts, &["scripts/inside.py", "scripts/own.py"]);
}

#[test]
fn it_is_not_upgraded() {
    let raw = read("a/SKILL.md", "---\nname: a\ndescription: b\n---\nc", SkillFiles::empty(), Scope::Direct).unwrap();
    let diagnostics = upgrade(&raw).unwrap_err();
    assert!(diagnostics[0].message.contains("a current form of its own"), "{:?}", diagnostics[0]);
}
