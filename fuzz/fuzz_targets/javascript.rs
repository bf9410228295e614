//! JavaScript scripts: what they say of their parameters, what becomes of their source, and a bounded run.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use skills::{Engine, Language, RunOptions};
use std::sync::LazyLock;
use std::time::Duration;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

fuzz_target!(|source: &str| {
    let skill = ENGINE.code(Language::JavaScript, source);
    ENGINE.parameters(&skill);
    let mut options = RunOptions::default();
    options.limits.operations = Some(10_000);
    options.limits.time = Some(Duration::from_millis(500));
    options.limits.memory = Some(64 << 20);
    drop(ENGINE.run_skill(&skill, json!({}), &options));
});
