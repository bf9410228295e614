//! Templates of prompts: a value that is filled in is not expanded again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use skills::definition::{LoadOptions, read, validate};
use skills::{Engine, RunOptions, Scope, SkillFiles};
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

fuzz_target!(|template: &str| {
    let text = json!({
        "name": "fuzzed", "description": "x", "type": "prompt_inline", "prompt": template,
        "parameters": [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}]
    });
    let Ok(raw) = read("fuzzed.json", &text.to_string(), SkillFiles::empty(), Scope::Direct) else { return };
    let Some(skill) = validate(&raw, &LoadOptions::default()).skill else { return };
    let outcome = ENGINE.run_skill(&skill, json!({"a": "{b}", "b": "secret"}), &RunOptions::default());
    if let Ok(filled) = outcome.result
        && !template.contains("{b}")
    {
        assert!(!filled.to_string().contains("secret") || template.contains("secret"), "{filled}");
    }
});
