//! Definitions in every JSON form: read, check, upgrade. What loads still loads when it is upgraded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills::definition::{LoadOptions, classify, read, summarise, upgrade, validate};
use skills::{Scope, SkillFiles};

fuzz_target!(|text: &str| {
    classify(text);
    summarise("fuzzed.json", text);
    let Ok(raw) = read("fuzzed.json", text, SkillFiles::empty(), Scope::Direct) else { return };
    let loaded = validate(&raw, &LoadOptions::default());
    for diagnostic in &loaded.diagnostics {
        diagnostic.render(true);
    }
    let Ok(upgraded) = upgrade(&raw) else { return };
    let again = read("fuzzed.json", &upgraded, SkillFiles::empty(), Scope::Direct).expect("what upgrade writes");
    let again = validate(&again, &LoadOptions::default());
    assert!(loaded.skill.is_none() || again.skill.is_some(), "{upgraded}\n{:#?}", again.diagnostics);
});
