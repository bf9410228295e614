//! Sessions that live in workers, with the real languages.

use crate::support::tiers;
use serde_json::json;
use skills::{Engine, ErrorKind, EvalOptions, Isolation, Language, LimitOverrides, RunOptions, Session};
use std::time::Duration;

fn engine() -> Engine {
    Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).build().unwrap()
}

/// A session in a worker; `None` where there are none.
fn open(engine: &Engine, language: Language) -> Option<Session> {
    if !tiers().contains(&Isolation::Worker) {
        return None;
    }
    let mut options = RunOptions::default();
    options.isolation = Some(Isolation::Worker);
    Some(engine.session(language).options(options).open().unwrap())
}

/// For each language: a cell that loops, one that fails, one that recurses without end, and what keeps 1 in `x`.
const CELLS: [(Language, &str, &str, &str, &str); 3] = [
    (Language::Rhai, "loop {}", "throw \"oops\"", "fn f(n) { f(n + 1) + 1 } f(0)", "let x = 1;"),
    (Language::Python, "while True: pass", "1 / 0", "def f(n): return f(n + 1) + 1\nf(0)", "x = 1"),
    (
        Language::JavaScript,
        "for (;;) {}",
        "throw new Error('oops')",
        "function f(n) { return f(n + 1) + 1 } f(0)",
        "let x = 1",
    ),
];

fn within(time: u64) -> EvalOptions {
    let limits = LimitOverrides { time: Some(Duration::from_millis(time)), ..LimitOverrides::default() };
    let mut options = EvalOptions::default();
    options.limits = limits;
    options
}

#[test]
fn what_stops_an_evaluation_leaves_the_session() {
    let engine = engine();
    for (language, endless, failing, deep, keep) in CELLS {
        let Some(session) = open(&engine, language) else { return };
        session.eval(keep).unwrap();
        assert_eq!(session.eval(failing).unwrap_err().kind(), ErrorKind::ScriptError, "{language}");
        assert_eq!(session.eval(deep).unwrap_err().kind(), ErrorKind::RecursionLimit, "{language}");
        let error = session.evaluate(endless, &within(50)).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{language}: {error}");
        let other = session.clone();
        let interrupting = std::thread::spawn(move || {
            while !other.interrupt() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let error = session.eval(endless).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{language}: {error}");
        interrupting.join().unwrap();
        assert_eq!(session.eval("x").unwrap(), 1, "{language}");
        assert!(session.info().memory_bytes.is_some_and(|memory| memory > 0), "{language}");
    }
}

#[test]
fn what_does_not_stop_ends_the_session() {
    let engine = engine();
    let Some(session) = open(&engine, Language::Python) else { return };
    session.eval("x = 1").unwrap();
    assert_eq!(session.evaluate("10**10**8", &within(50)).result.unwrap_err().kind(), ErrorKind::Timeout);
    let error = session.eval("x").unwrap_err();
    assert!(error.message().contains("has ended: execution time limit of 50 ms"), "{error}");
    let session = open(&engine, Language::Python).unwrap();
    let error = session.eval("import ctypes; ctypes.string_at(0)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    let error = session.eval("x").unwrap_err();
    assert!(error.message().contains("has ended: ") && error.message().contains("SIGSEGV"), "{error}");
}

/// It has been made ready by evaluating something, of which nothing is to be seen.
#[test]
fn a_session_whose_worker_was_ready_is_as_any_other() {
    for (language, _, _, _, keep) in CELLS {
        let engine = engine();
        let Some(first) = open(&engine, language) else { return };
        while engine.pool().ready == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let second = open(&engine, language).unwrap();
        assert_eq!(engine.pool().warm, 1, "{language}");
        let names = |session: &Session| {
            session.variables().unwrap().into_iter().map(|variable| variable.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&second), names(&first), "{language}");
        for session in [&first, &second] {
            assert!(session.get("_").is_err(), "{language}");
            session.eval(keep).unwrap();
            assert_eq!(session.eval("x + 1").unwrap(), 2, "{language}");
        }
        assert_eq!(second.fork(&format!("copy-{language}")).unwrap().eval("x").unwrap(), 1, "{language}");
    }
}

/// What no snapshot holds tells that it is a copy of the process.
#[test]
fn a_copy_of_python_has_what_no_snapshot_holds() {
    let engine = engine();
    let Some(session) = open(&engine, Language::Python) else { return };
    session.eval("g = (n for n in range(9)); next(g); big = bytearray(50 << 20)").unwrap();
    let copy = session.fork("copy").unwrap();
    assert_eq!(copy.eval("next(g)").unwrap(), 1);
    assert_eq!(copy.eval("next(g)").unwrap(), 2);
    assert_eq!(session.eval("next(g)").unwrap(), 1);
    assert_eq!(copy.eval("len(big)").unwrap(), 50 << 20);
    copy.eval("import json, threading\ndef f(): return json.dumps([1])\nf()").unwrap();
    // What stops an evaluation is there in the copy as well.
    assert_eq!(copy.evaluate("while True: pass", &within(50)).result.unwrap_err().kind(), ErrorKind::Timeout);
    session.close();
    let again = copy.fork("again").unwrap();
    assert_eq!(again.eval("[next(g), f()]").unwrap(), json!([3, "[1]"]));
    let error = again.eval("more = bytearray(1 << 30)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MemoryLimit, "{error}");
    assert_eq!(copy.eval("next(g)").unwrap(), 3);
}

#[test]
fn sessions_are_copied_in_every_language() {
    let engine = engine();
    for (language, endless, _, _, keep) in CELLS {
        let Some(session) = open(&engine, language) else { return };
        session.eval(keep).unwrap();
        let copy = session.fork(&format!("copy-{language}")).unwrap();
        session.eval("x = 2").unwrap();
        assert_eq!(copy.eval("x").unwrap(), 1, "{language}");
        assert_eq!(copy.evaluate(endless, &within(50)).result.unwrap_err().kind(), ErrorKind::Timeout, "{language}");
        session.close();
        assert_eq!(copy.eval("x + 1").unwrap(), 2, "{language}");
    }
}

/// As with Python: a generator that has begun, a closure's variable, and a wait that is under way.
#[test]
fn a_copy_of_javascript_has_what_no_snapshot_holds() {
    let engine = engine();
    let Some(session) = open(&engine, Language::JavaScript) else { return };
    session.eval("const g = (function* () { for (let n = 0; ; n++) yield n })(); g.next().value").unwrap();
    session.eval("const next = (() => { let n = 10; return () => n++ })(); next()").unwrap();
    session
        .eval("let late; const wait = new Promise(done => setTimeout(() => { late = 'here'; done(late) }, 20)); 0")
        .unwrap();
    session.eval("const big = new Uint8Array(50 << 20); big[7] = 7").unwrap();
    let copy = session.fork("copy").unwrap();
    assert_eq!(copy.eval("[g.next().value, next(), big[7], await wait]").unwrap(), json!([1, 11, 7, "here"]));
    assert_eq!(session.eval("[g.next().value, next(), await wait]").unwrap(), json!([1, 11, "here"]));
    copy.eval("big[7] = 8; class Kept { get x() { return 5 } }").unwrap();
    assert_eq!(session.eval("big[7]").unwrap(), 7);
    // What stops an evaluation is there in the copy as well.
    assert_eq!(copy.evaluate("for (;;) {}", &within(50)).result.unwrap_err().kind(), ErrorKind::Timeout);
    let error = copy.eval("(function f() { return f() + 1 })()").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecursionLimit, "{error}");
    let error = copy.eval("const more = new ArrayBuffer(1 << 30)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MemoryLimit, "{error}");
    session.close();
    let again = copy.fork("again").unwrap();
    assert_eq!(again.eval("[g.next().value, next(), new Kept().x, big[7]]").unwrap(), json!([2, 12, 5, 8]));
    assert_eq!(copy.eval("g.next().value").unwrap(), 2);
}
