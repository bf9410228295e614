//! What a limit looks like when it is reached: a typed error with the limit and the reading, and an engine that goes on.
#![allow(clippy::print_stdout)]

use skills::{Engine, Error, ErrorKind, Language, LimitOverrides, RunOptions};
use std::time::Duration;

/// Counts what Rhai scripts hold. Without it, Rhai's memory limit is only as good as its limits on single values.
#[global_allocator]
static ALLOCATOR: skills::CountingAllocator = skills::CountingAllocator;

fn main() -> Result<(), Error> {
    let engine = Engine::new()?;
    let time = LimitOverrides { time: Some(Duration::from_millis(50)), ..LimitOverrides::default() };
    let memory = LimitOverrides { memory: Some(16 << 20), ..LimitOverrides::default() };
    let operations = LimitOverrides { operations: Some(10_000), ..LimitOverrides::default() };
    let cases = [
        (Language::Rhai, "loop {}", &time, ErrorKind::Timeout),
        (Language::Python, "while True: pass", &time, ErrorKind::Timeout),
        (Language::JavaScript, "for (;;) {}", &time, ErrorKind::Timeout),
        (Language::Rhai, "let a = []; loop { a.push(a.len()); }", &memory, ErrorKind::MemoryLimit),
        (Language::Python, "'a' * 10**10", &memory, ErrorKind::MemoryLimit),
        (
            Language::JavaScript,
            "let a = []; for (;;) a.push(new Array(1000).fill(0));",
            &memory,
            ErrorKind::MemoryLimit,
        ),
        (Language::Rhai, "loop {}", &operations, ErrorKind::OperationLimit),
        (Language::Python, "while True: pass", &operations, ErrorKind::OperationLimit),
        (Language::JavaScript, "for (;;) {}", &operations, ErrorKind::OperationLimit),
    ];
    for (language, code, limits, expected) in cases {
        let skill = engine.code(language, code);
        let mut options = RunOptions::default();
        options.limits = limits.clone();
        match engine.run_skill(&skill, serde_json::json!({}), &options).result {
            Ok(value) => return Err(Error::new(ErrorKind::Internal, format!("{language} gave {value}"))),
            Err(error) => {
                println!("{language:<11} {error}");
                assert_eq!(error.kind(), expected, "{language}: {code}");
            }
        }
        assert_eq!(engine.eval(language, "1 + 1")?, 2, "the next run is fine");
    }
    Ok(())
}
