//! The same behaviour in every language and in every tier: one folder a case under `tests/conformance`.

use crate::cases::unmet;
use crate::support::{folders, read_json, root, tiers};
use serde_json::{Value, json};
use skills::{Engine, Isolation, Language, LimitOverrides, RunOptions};
use std::time::Duration;

const LANGUAGES: [Language; 3] = [Language::Rhai, Language::Python, Language::JavaScript];

#[test]
fn every_language_behaves_the_same() {
    behaves_the_same(Isolation::InProcess);
}

#[test]
fn every_language_behaves_the_same_in_workers() {
    if tiers().contains(&Isolation::Worker) {
        behaves_the_same(Isolation::Worker);
    }
}

fn behaves_the_same(tier: Isolation) {
    let mut failures = Vec::new();
    let mut count = 0;
    for folder in folders(&root().join("tests/conformance")) {
        let case = read_json(&folder.join("case.json"));
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        for language in LANGUAGES {
            let skipped = case.get("skip").and_then(|skip| skip.get(language.as_str()));
            if let Some(reason) = skipped {
                assert!(reason.as_str().is_some_and(|reason| reason.len() > 10), "{name}: {language} needs a reason");
                continue;
            }
            if tier == Isolation::Worker
                && let Some(reason) = case.get("skip_in_worker")
            {
                assert!(reason.as_str().is_some_and(|reason| reason.len() > 10), "{name}: the worker needs a reason");
                continue;
            }
            // An engine for each, so that state of one case is not seen by the next.
            let engine = Engine::builder()
                .working_directory(&folder)
                .worker(env!("CARGO_BIN_EXE_skills"))
                .ready_workers(0)
                .build()
                .unwrap();
            let skill = engine.script_file(&folder.join(format!("script.{}", language.extension()))).unwrap();
            let mut options = RunOptions::default();
            options.limits = limits(case.get("limits"));
            options.isolation = Some(tier);
            let repeat = case.get("repeat").and_then(Value::as_u64).unwrap_or(1);
            let mut outcome = None;
            for _ in 0..repeat {
                let params = case.get("params").cloned().unwrap_or(json!({}));
                outcome = Some(engine.run_skill(&skill, params, &options));
            }
            count += 1;
            let outcome = outcome.unwrap();
            let mut expected = expectation(&case, language);
            if let Some(error) = expected.get_mut("error").and_then(Value::as_object_mut)
                && let Some(line) = error.get("line_in_process").cloned().filter(|_| tier == Isolation::InProcess)
            {
                error.insert("line".into(), line);
            }
            let mut why = unmet(&expected, &outcome);
            if let Some(stdout) = case.get("stdout").and_then(Value::as_str)
                && outcome.stdout != stdout
            {
                why = Some(format!("expected to print {stdout:?}, got {:?}", outcome.stdout));
            }
            let mut next = RunOptions::default();
            next.isolation = Some(tier);
            let next = engine.run_skill(&engine.code(language, "6 * 7"), json!({}), &next);
            if why.is_none() && next.result.as_ref().ok() != Some(&json!(42)) {
                why = Some(format!("the next run failed: {:?}", next.result));
            }
            if let Some(why) = why {
                failures.push(format!("{name}: {language}: {why}"));
            }
        }
    }
    assert!(count >= 100, "only {count} ran");
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
}

/// What is expected in a language: of all, with that language's own on top.
fn expectation(case: &Value, language: Language) -> Value {
    case.get("expect_in").and_then(|own| own.get(language.as_str())).unwrap_or(&case["expect"]).clone()
}

fn limits(asked: Option<&Value>) -> LimitOverrides {
    let of = |name: &str| asked.and_then(|asked| asked.get(name)).and_then(Value::as_u64);
    LimitOverrides {
        time: of("time_ms").map(Duration::from_millis),
        wall: of("wall_ms").map(Duration::from_millis),
        memory: of("memory_bytes"),
        operations: of("operations"),
        output: of("output_bytes"),
        result: of("result_bytes"),
        recursion: of("recursion"),
        host_calls: of("host_calls"),
    }
}
