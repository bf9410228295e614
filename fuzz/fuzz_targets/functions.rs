//! Host functions that parse: JSON, JSONPath, CSV, regular expressions, texts, times, units, and the encodings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use skills::{Engine, Language, RunOptions};
use std::sync::LazyLock;
use std::time::Duration;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

const CALLS: [&str; 21] = [
    "skill.json.parse(params.a)",
    "skill.json.query(skill.json.parse(params.a), params.b)",
    "skill.json.diff(skill.json.parse(params.a), skill.json.parse(params.b))",
    "skill.csv.parse(params.a)",
    "skill.csv.stringify(skill.csv.parse(params.a))",
    "skill.regex.find_all(params.a, params.b)",
    "skill.regex.replace(params.a, params.b, params.a)",
    "skill.regex.split(params.a, params.b)",
    "skill.time.parse(params.a)",
    "skill.units.evaluate(params.a)",
    "skill.base64.decode(params.a)",
    "skill.text.slug(params.a)",
    "skill.text.wrap(params.a, 7)",
    "skill.text.truncate(params.a, 7)",
    "skill.text.table(skill.json.parse(params.a), (), params.b)",
    "skill.text.similarity(params.a, params.b)",
    "skill.time.parse(params.a, (), params.b)",
    "skill.time.format(0, params.a, params.b)",
    "skill.time.add(params.a, params.b)",
    "skill.time.convert(params.a, params.b)",
    "skill.units.convert(1.5, params.a, params.b)",
];

fuzz_target!(|given: (u8, &str, &str)| {
    let (which, a, b) = given;
    let code = CALLS[usize::from(which) % CALLS.len()];
    let mut options = RunOptions::default();
    options.limits.time = Some(Duration::from_secs(5));
    drop(ENGINE.run_skill(&ENGINE.code(Language::Rhai, code), json!({"a": a, "b": b}), &options));
});
