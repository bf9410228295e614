//! What a worker does that ends badly, and how many there are.

use crate::support::tiers;
use serde_json::json;
use skills::{Engine, ErrorKind, Isolation, Language, LimitOverrides, Outcome, RunOptions};
use std::time::Duration;

fn engine(ready: usize) -> Engine {
    Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).ready_workers(ready).build().unwrap()
}

fn run(engine: &Engine, language: Language, code: &str, limits: LimitOverrides) -> Outcome {
    let mut options = RunOptions::default();
    options.isolation = Some(Isolation::Worker);
    options.limits = limits;
    engine.run_skill(&engine.code(language, code), json!({}), &options)
}

#[test]
fn a_worker_that_breaks_says_how_and_the_next_one_serves() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let engine = engine(0);
    let forged = "import os\nfor n in range(3, 32):\n  try: os.write(n, b'\\1\\0\\0\\0\\143')\n  except OSError: pass";
    let soon = LimitOverrides { time: Some(Duration::from_millis(50)), ..LimitOverrides::default() };
    let little = LimitOverrides { output: Some(1000), ..LimitOverrides::default() };
    for (code, limits, kind, part) in [
        ("import ctypes; ctypes.string_at(0)", LimitOverrides::default(), ErrorKind::Crashed, "SIGSEGV"),
        ("import ctypes; ctypes.CDLL(None)._exit(0)", LimitOverrides::default(), ErrorKind::Crashed, "exit code 0"),
        (forged, LimitOverrides::default(), ErrorKind::Crashed, "no answer"),
        ("10**10**8", soon.clone(), ErrorKind::Timeout, "50 ms"),
        ("while True: pass", soon, ErrorKind::Timeout, "50 ms"),
        ("import os\nwhile True: os.write(2, b'x' * 4096)", little, ErrorKind::OutputLimit, "1000 bytes"),
    ] {
        let error = run(&engine, Language::Python, code, limits).result.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}: {error}");
        assert!(error.message().contains(part), "{code}: {error}");
    }
    assert_eq!(run(&engine, Language::Python, "6 * 7", LimitOverrides::default()).result.unwrap(), 42);
}

#[test]
fn what_is_written_past_the_interpreter_is_output() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let code =
        "import os\nos.write(1, 'é'.encode()[:1]); os.write(1, 'é'.encode()[1:] + b'\\xff'); os.write(2, b'two')";
    let outcome = run(&engine(0), Language::Python, code, LimitOverrides::default());
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("é\u{fffd}", "two"));
    let code = "import os, time\nos.write(1, b'\\xff\\xc3'); time.sleep(0.05); os.write(1, b'\\xa9')";
    let outcome = run(&engine(0), Language::Python, code, LimitOverrides::default());
    assert_eq!(outcome.stdout, "\u{fffd}é", "what is no text keeps no character from being put together");
}

#[test]
fn python_finds_the_environment_of_its_worker() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let code =
        "import os\n[os.environ['HOME'], os.getenv('TMPDIR'), os.environ.get('http_proxy'), 'CARGO' in os.environ]";
    let outcome = run(&engine(0), Language::Python, code, LimitOverrides::default());
    assert_eq!(outcome.result.unwrap(), json!(["/tmp", "/tmp", null, false]));
}

#[test]
fn workers_are_ready_for_the_second_run() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let engine = engine(2);
    let one = |expected| {
        assert_eq!(run(&engine, Language::Rhai, "1 + 1", LimitOverrides::default()).result.unwrap(), expected);
        engine.pool()
    };
    assert_eq!((one(2).forked, engine.pool().warm), (1, 0));
    while engine.pool().ready < 2 {
        std::thread::yield_now();
    }
    let figures = one(2);
    assert_eq!((figures.forked, figures.warm, figures.busy), (1, 1, 0));
}
