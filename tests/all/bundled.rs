//! Every bundled skill does what its `cases.json` says.

use crate::cases::unmet;
use crate::support::{folders, read_json, root};
use serde_json::Value;
use skills::{Engine, RunOptions};

#[test]
fn every_bundled_skill_passes_its_cases() {
    let engine = Engine::builder().working_directory(root()).allow_read(root()).build().unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for folder in folders(&root().join("skills")) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let cases = read_json(&folder.join("cases.json"));
        let cases = cases.as_array().unwrap();
        assert!(cases.len() >= 3, "{name} has {} cases", cases.len());
        for case in cases {
            count += 1;
            let met = match case.get("calls") {
                Some(calls) => in_one_session(&engine, &name, calls.as_array().unwrap()),
                None => {
                    let skill = format!("bundled:{name}");
                    let outcome = engine.run_with(&skill, case["params"].clone(), &RunOptions::default());
                    unmet(case, &outcome)
                }
            };
            if let Some(why) = met {
                failures.push(format!("{name}: {}: {why}", case["name"]));
            }
        }
    }
    assert!(count > 60, "only {count} cases ran");
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
}

/// Makes calls one after another in a session of a skill; gives what is wrong with the first that is not as expected.
fn in_one_session(engine: &Engine, name: &str, calls: &[Value]) -> Option<String> {
    let skill = engine.skill(&format!("bundled:{name}")).unwrap();
    let session = engine.skill_session(&skill).open().unwrap();
    let found = calls.iter().enumerate().find_map(|(index, call)| {
        let outcome = session.run(call["params"].clone(), &RunOptions::default());
        unmet(call, &outcome).map(|why| format!("call {}: {why}", index + 1))
    });
    session.close();
    found
}

#[test]
fn every_bundled_definition_is_valid_without_a_warning() {
    let engine = Engine::new().unwrap();
    for entry in engine.catalog().entries() {
        let diagnostics = engine.catalog().check(&format!("bundled:{}", entry.name())).unwrap();
        let shown: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.render(false)).collect();
        assert!(shown.is_empty(), "{}", shown.join("\n"));
    }
}
