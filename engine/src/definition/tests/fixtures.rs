use super::{fixtures, load_text};
use crate::definition::{LoadOptions, codes, read, summarise, upgrade, validate};
use crate::{Diagnostic, Dialect, Scope, SkillFiles};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The definitions of a folder of fixtures, by name.
fn definitions(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = fixtures().join(folder);
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no fixtures in {}", folder.display());
    found
}

/// Compares with the file `NAME.expected` beside a fixture; with UPDATE_EXPECTED=1 writes it instead.
fn expect(fixture: &Path, actual: &str) -> Result<(), String> {
    let path = fixture.with_extension("expected");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    Err(format!("{} differs.\n--- expected\n{expected}\n--- actual\n{actual}", path.display()))
}

fn options() -> LoadOptions {
    LoadOptions { max_reference_bytes: 4096, ..LoadOptions::default() }
}

/// What a skill is, without what depends on where and how it is written.
fn meaning(skill: &crate::Skill) -> Value {
    let mut value = serde_json::to_value(skill).unwrap();
    let object = value.as_object_mut().unwrap();
    for key in ["folder", "digest", "dialect", "file"] {
        object.remove(key);
    }
    let text = value.to_string().replace(fixtures().to_str().unwrap(), "FIXTURES");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn valid_definitions_mean_what_is_expected_and_nothing_is_wrong_with_them() {
    let mut failures = Vec::new();
    for (name, path) in definitions("valid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = load_text(path.parent().unwrap(), &name, &text, &options());
        let rendered: Vec<String> = loaded.diagnostics.iter().map(|diagnostic| diagnostic.render(false)).collect();
        match (&loaded.skill, rendered.as_slice()) {
            (Some(skill), []) => {
                let shown = format!("{}\n", serde_json::to_string_pretty(&meaning(skill)).unwrap());
                failures.extend(expect(&path, &shown).err());
            }
            _ => failures.push(format!("{name}:\n{}", rendered.join("\n"))),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn invalid_definitions_show_what_is_expected() {
    let mut failures = Vec::new();
    for (name, path) in definitions("invalid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = load_text(path.parent().unwrap(), &name, &text, &options());
        assert!(!loaded.diagnostics.is_empty(), "nothing is wrong with {name}");
        let rendered: Vec<String> = loaded.diagnostics.iter().map(|diagnostic| diagnostic.render(false)).collect();
        let verdict = if loaded.skill.is_some() { "loads" } else { "does not load" };
        failures.extend(expect(&path, &format!("{}\n\n{verdict}\n", rendered.join("\n\n"))).err());
        for diagnostic in &loaded.diagnostics {
            assert!(diagnostic.help.is_some(), "{name}: no help with {}", diagnostic.message);
            assert!(!diagnostic.message.ends_with('.'), "{name}: {}", diagnostic.message);
        }
        assert_eq!(loaded.skill.is_none(), loaded.diagnostics.iter().any(|diagnostic| diagnostic.is_error()), "{name}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The hand-written checks are what the run path relies on: the schema may only repeat what they say.
#[test]
fn the_schema_check_finds_nothing_that_the_builder_does_not() {
    for folder in ["valid", "invalid", "seeds"] {
        for (name, path) in definitions(folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let loaded = load_text(path.parent().unwrap(), &name, &text, &options());
            let of_schema: Vec<_> = loaded.diagnostics.iter().filter(|d| d.code == "S0014").collect();
            assert!(of_schema.is_empty(), "{name}: {of_schema:#?}");
        }
    }
}

#[test]
fn an_upgraded_file_means_the_same_and_nothing_new_is_wrong_with_it() {
    for folder in ["valid", "seeds", "invalid"] {
        for (name, path) in definitions(folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let folder = path.parent().unwrap();
            let loaded = load_text(folder, &name, &text, &options());
            let Some(before) = loaded.skill else { continue };
            let raw = read(&name, &text, SkillFiles::folder(folder).unwrap(), Scope::Direct).unwrap();
            let upgraded = upgrade(&raw).unwrap();
            let again = load_text(folder, &name, &upgraded, &options());
            let after = again.skill.unwrap();
            assert_eq!(after.dialect, Dialect::V2, "{name}");
            assert_eq!(meaning(&before), meaning(&after), "{name}:\n{upgraded}");
            let codes = |diagnostics: &[Diagnostic]| diagnostics.iter().map(|d| d.code).collect::<BTreeSet<_>>();
            let (old, new) = (codes(&loaded.diagnostics), codes(&again.diagnostics));
            assert!(new.is_subset(&old), "{name}: {old:?} became {new:?}:\n{upgraded}");
            // What is only a matter of spelling is set right.
            let spelling = ["S0019", "S0021", "S0026", "S0100", "S0102"];
            // In v2, a key that is not used here is no matter of spelling.
            let left = |code: &&&str| new.contains(**code) && (**code != "S0019" || before.dialect != Dialect::V2);
            assert!(spelling.iter().find(left).is_none(), "{name}: {new:?}:\n{upgraded}");
        }
    }
}

#[test]
fn a_summary_says_what_the_skill_says() {
    for (name, path) in definitions("valid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let skill = load_text(path.parent().unwrap(), &name, &text, &options()).skill.unwrap();
        let summary = summarise(&name, &text).unwrap();
        assert_eq!((&summary.name, summary.kind, summary.dialect), (&skill.name, Some(skill.kind), skill.dialect));
        assert_eq!((&summary.description, &summary.version), (&skill.description, &skill.version));
        if let Some(script) = skill.script() {
            assert_eq!(summary.executor.as_deref(), Some(script.language.as_str()), "{name}");
        }
    }
}

/// What the published schemas alone cannot say of the invalid fixtures that do not load.
const ONLY_BY_MEANING: &[&str] = &[
    // JSON parsers take the last of two keys, and what is no JSON is no number for them.
    "duplicate-keys.json",
    "syntax-string-over-lines.json",
    "v1-limits-nan.json",
    // What the protocol of a program that stays asks of the keys around it.
    "v1-protocol-nothing-known.json",
    // What names, references, patterns and placeholders lead to.
    "v2-needs-itself.json",
    "v2-patterns-of-files.json",
    "v2-protocol-free-text.json",
    "v2-protocol-marker.json",
    "v2-protocol-of-code.json",
    "v2-protocol-pattern.json",
    "v2-protocol-several-parameters.json",
    "v2-protocol-undeclared.json",
    "v2-references.json",
    "v2-sandbox-off.json",
    "v2-unsafe-placeholders.json",
];

/// Editors see only the schema: it refuses what it can, and the rest is listed.
#[test]
fn the_published_schemas_refuse_what_they_can() {
    let validator = |dialect| jsonschema::validator_for(&crate::definition::schema(dialect).unwrap()).unwrap();
    let (v1, v2) = (validator(Dialect::V1), validator(Dialect::V2));
    let (mut refused, mut passed) = (0, Vec::new());
    for (name, path) in definitions("invalid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let folder = path.parent().unwrap();
        // What loads has only warnings, and what cannot be read is no JSON.
        let Ok(raw) = read(&name, &text, SkillFiles::folder(folder).unwrap(), Scope::Direct) else { continue };
        if load_text(folder, &name, &text, &options()).skill.is_some() {
            continue;
        }
        let schema = if raw.dialect() == Dialect::V1 { &v1 } else { &v2 };
        match schema.is_valid(&raw.root.to_value()) {
            true => passed.push(name),
            false => refused += 1,
        }
    }
    assert_eq!(passed, ONLY_BY_MEANING, "{refused} are refused");
    assert!(refused > 2 * passed.len(), "only {refused} are refused");
}

/// Every place of a value below a value, as JSON pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, inner)| (key.replace('~', "~0").replace('/', "~1"), inner)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, inner)| (index.to_string(), inner)).collect(),
        _ => Vec::new(),
    };
    for (key, inner) in inner {
        let place = format!("{at}/{key}");
        pointers(inner, &place, found);
        found.push(place);
    }
}

/// The same for every valid definition with any one value replaced by one of another type, or one out of range.
#[test]
fn whatever_replaces_a_value_the_builder_sees_what_the_schema_sees() {
    let others = [
        r#"null"#,
        r#"true"#,
        "-1",
        "0",
        "1.5",
        "1e18",
        r#""""#,
        r#""x""#,
        "[]",
        "[1]",
        r#"["x"]"#,
        "{}",
        r#"{"a": 1}"#,
    ];
    let mut missed = BTreeSet::new();
    for folder in ["valid", "seeds"] {
        for (name, path) in definitions(folder) {
            let files = SkillFiles::folder(path.parent().unwrap()).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let json = read(&name, &text, files.clone(), Scope::Direct).unwrap().root.to_value();
            let mut places = Vec::new();
            pointers(&json, "", &mut places);
            for place in places {
                for other in others {
                    let mut changed = json.clone();
                    *changed.pointer_mut(&place).unwrap() = serde_json::from_str(other).unwrap();
                    let Ok(raw) = read(&name, &changed.to_string(), files.clone(), Scope::Direct) else { continue };
                    let diagnostics = validate(&raw, &options()).diagnostics;
                    if let Some(of_schema) = diagnostics.iter().find(|d| d.code == "S0014") {
                        missed.insert(format!("{name}: {place} = {other}: {}", of_schema.message));
                    }
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The run path does without the schema: it must not let anything through that `skills validate` refuses.
#[test]
fn without_the_schema_check_the_verdict_is_the_same() {
    for (name, path) in definitions("invalid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let files = SkillFiles::folder(path.parent().unwrap()).unwrap();
        let Ok(raw) = read(&name, &text, files, Scope::Direct) else { continue };
        let quick = LoadOptions { schema_check: false, ..options() };
        assert_eq!(validate(&raw, &quick).skill.is_some(), validate(&raw, &options()).skill.is_some(), "{name}");
    }
}

/// The text of every file below a folder.
fn all_text(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_text(&path, text);
        } else if path.file_name().is_some_and(|name| name != "codes.rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// Codes from S0130 on belong to other parts of the engine.
#[test]
fn every_code_of_definitions_is_shown_by_a_fixture_or_a_test() {
    let mut text = String::new();
    all_text(&fixtures(), &mut text);
    all_text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/definition"), &mut text);
    let own = codes().iter().map(|(id, _)| *id).filter(|id| *id < "S0130");
    // The schema check finds nothing that the builder does not, and what does not parse needs a language: no fixture shows either.
    let missing: Vec<&str> = own.filter(|id| !["S0014", "S0074"].contains(id) && !text.contains(id)).collect();
    // While the fixtures are being written, they are not there to be read.
    let updating = std::env::var_os("UPDATE_EXPECTED").is_some();
    assert!(updating || missing.is_empty(), "nothing shows {missing:?}");
}

#[test]
fn every_code_is_listed_once() {
    let ids: BTreeSet<&str> = codes().iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), codes().len());
    assert!(codes().iter().all(|(id, meaning)| id.len() == 5 && id.starts_with('S') && !meaning.is_empty()));
}
