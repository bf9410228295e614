//! Sessions, as a host program uses them: every language, in process and in workers.

use crate::support::tiers;
use serde_json::{Value, json};
use skills::{
    Engine, ErrorKind, EvalOptions, Isolation, Language, LimitName, LimitOverrides, RunOptions, Session, SessionBudget,
    SessionImage,
};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

const LANGUAGES: [Language; 3] = [Language::Rhai, Language::Python, Language::JavaScript];

fn engine() -> Engine {
    Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0).build().unwrap()
}

fn options(isolation: Isolation) -> RunOptions {
    let mut options = RunOptions::default();
    options.isolation = Some(isolation);
    options
}

/// A session of each language in each tier that there is.
fn sessions(engine: &Engine) -> Vec<Session> {
    let mut all = Vec::new();
    for tier in tiers() {
        for language in LANGUAGES {
            all.push(engine.session(language).options(options(tier)).open().unwrap());
        }
    }
    all
}

/// Code that gives a variable the value 41, that loops for ever, that fails, that calls itself for ever.
fn code(language: Language) -> [&'static str; 4] {
    match language {
        Language::Rhai => ["let x = 41;", "loop {}", "throw \"no\"", "fn f(n) { f(n + 1) } f(0)"],
        Language::Python => ["x = 41", "while True: pass", "raise ValueError('no')", "def f(n): return f(n + 1)\nf(0)"],
        _ => ["let x = 41", "for (;;) {}", "throw new Error('no')", "function f(n) { return 1 + f(n + 1) }\nf(0)"],
    }
}

fn limited(time: Duration) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.limits = LimitOverrides { time: Some(time), ..LimitOverrides::default() };
    options
}

#[test]
fn a_namespace_lives_through_errors_and_limits() {
    let engine = engine();
    for session in sessions(&engine) {
        let what = format!("{} {:?}", session.language(), session.info().isolation);
        let [assign, endless, fails, deep] = code(session.language());
        session.eval(assign).unwrap();
        assert_eq!(session.eval("x + 1").unwrap(), 42, "{what}");
        assert_eq!(session.eval(fails).unwrap_err().kind(), ErrorKind::ScriptError, "{what}");
        assert_eq!(session.eval("x + 1").unwrap(), 42, "{what}");
        let error = session.evaluate(endless, &limited(Duration::from_millis(100))).result.unwrap_err();
        assert_eq!(error.limit().unwrap().name, LimitName::Time, "{what}: {error}");
        assert_eq!(session.eval("x + 1").unwrap(), 42, "{what}");
        let error = session.eval(deep).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::ScriptError | ErrorKind::RecursionLimit), "{what}: {error}");
        assert_eq!(session.eval("x + 1").unwrap(), 42, "{what}");
        session.set("y", json!([1, 2])).unwrap();
        assert_eq!(session.get("y").unwrap(), json!([1, 2]), "{what}");
        assert!(session.variables().unwrap().iter().any(|variable| variable.name == "x"), "{what}");
        let outcome = session.evaluate("y", &EvalOptions::default());
        assert!(outcome.shown.unwrap().text.contains('2'), "{what}");
        assert_eq!(outcome.isolation, session.info().isolation);
    }
}

#[test]
fn an_interruption_from_another_thread_keeps_the_session() {
    let engine = engine();
    for session in sessions(&engine) {
        let what = format!("{} {:?}", session.language(), session.info().isolation);
        let [assign, endless, ..] = code(session.language());
        session.eval(assign).unwrap();
        let other = session.clone();
        let looping = std::thread::spawn(move || other.eval(endless).unwrap_err());
        while !session.interrupt() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(looping.join().unwrap().kind(), ErrorKind::Cancelled, "{what}");
        assert_eq!(session.eval("x + 1").unwrap(), 42, "{what}");
    }
}

#[test]
fn a_budget_that_is_spent_ends_the_session() {
    let engine = engine();
    for tier in tiers() {
        for language in LANGUAGES {
            let budget = SessionBudget { time: Some(Duration::from_millis(150)), ..SessionBudget::default() };
            let session = engine.session(language).options(options(tier)).budget(budget).open().unwrap();
            let [_, endless, ..] = code(language);
            let limit = limited(Duration::from_millis(100));
            let first = session.evaluate(endless, &limit).result.unwrap_err();
            assert_eq!(first.limit().unwrap().limit, 100, "{language} {tier:?}: {first}");
            let second = session.evaluate(endless, &limit).result.unwrap_err();
            assert_eq!(second.kind(), ErrorKind::Timeout, "{language} {tier:?}");
            assert_eq!(second.limit().unwrap().limit, 150, "{language} {tier:?}: {second}");
            assert!(session.ended().is_some(), "{language} {tier:?}");
        }
    }
}

#[test]
fn copies_and_images_go_their_own_ways() {
    let engine = engine();
    for (number, session) in sessions(&engine).into_iter().enumerate() {
        let what = format!("{} {:?}", session.language(), session.info().isolation);
        session.eval(code(session.language())[0]).unwrap();
        let copy = session.fork(&format!("copy-{number}")).unwrap_or_else(|error| panic!("{what}: {error}"));
        copy.set("x", json!(1)).unwrap();
        assert_eq!((session.get("x").unwrap(), copy.get("x").unwrap()), (json!(41), json!(1)), "{what}");
        assert_eq!(copy.info().isolation, session.info().isolation);
        let bytes = session.snapshot().unwrap().to_bytes();
        session.close();
        if !tiers().contains(&Isolation::Worker) {
            continue;
        }
        let image = SessionImage::from_bytes(&bytes).unwrap();
        let restored = engine.restore_session(&image).open().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(restored.get("x").unwrap(), 41, "{what}");
        assert_eq!(restored.info().isolation, Isolation::Worker, "{what}");
    }
}

#[test]
fn sessions_end_with_their_engine() {
    for tier in tiers() {
        for language in LANGUAGES {
            let engine = engine();
            let events = engine.session_hub().watch();
            let session = engine.session(language).options(options(tier)).open().unwrap();
            session.eval(code(language)[0]).unwrap();
            session.variables().unwrap();
            drop((engine, session));
            // The hub is gone once nothing holds the engine: neither the interpreter does, nor the thread.
            loop {
                match events.recv_timeout(Duration::from_secs(60)) {
                    Ok(_) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => panic!("{language} {tier:?} keeps its engine"),
                }
            }
        }
    }
}

#[test]
fn a_worker_that_dies_ends_its_session_and_says_why() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let engine = engine();
    let session = engine.session(Language::Python).options(options(Isolation::Worker)).name("a").open().unwrap();
    let error = session.eval("import ctypes; ctypes.string_at(0)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed);
    let later = session.eval("1").unwrap_err();
    assert_eq!(later.kind(), ErrorKind::Crashed);
    assert!(later.message().starts_with("session `a` has ended: ") && later.message().contains("SIGSEGV"), "{later}");
    assert!(engine.find_session("a").unwrap().is_none());
}

/// A folder with a `code_session` skill of a program and its script.
fn skill(command: &str, file: &str, script: &str, session: Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), script).unwrap();
    let definition = json!({
        "name": "analyzer", "description": "d", "type": "code_session", "command": command,
        "args": [format!("file://./{file}"), "--session", "{session_id}", "--word", "{word}"],
        "environment": {"PYTHONPATH": "./src", "CITY": "Oslo"},
        "parameters": {"word": {"type": "string", "required": true}},
        "session_config": session,
    });
    std::fs::write(folder.path().join("analyzer.json"), definition.to_string()).unwrap();
    folder
}

const PYTHON: &str = "import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument('--session')
parser.add_argument('--word')
given = parser.parse_args()
if __name__ == '__main__':
    seen = globals().get('seen', []) + [given.word]
    print(given.session, ' '.join(seen), os.environ['CITY'])
";

const NODE: &str = "globalThis.seen = [...(globalThis.seen ?? []), process.argv[5]];
console.log(process.argv[3], globalThis.seen.join(' '), process.env.CITY);
";

#[test]
fn programs_that_are_interpreters_run_in_the_embedded_one() {
    let engine = engine();
    for (command, file, script) in [("python3", "main.py", PYTHON), ("node", "main.js", NODE)] {
        let folder = skill(command, file, script, json!({}));
        let skill = engine.skill(&folder.path().join("analyzer.json").display().to_string()).unwrap();
        for tier in tiers() {
            let what = format!("{command} {tier:?}");
            let run = options(tier);
            let session = engine.skill_session(&skill).options(run.clone()).name("mine").open().unwrap();
            let said = |word: &str| session.run(json!({"word": word}), &RunOptions::default()).result;
            assert_eq!(said("one").unwrap(), "mine one Oslo", "{what}");
            assert_eq!(said("two").unwrap(), "mine one two Oslo", "{what}");
            assert_eq!(session.get("seen").unwrap(), json!(["one", "two"]), "{what}");
            // Without a session it has one of a single call. The other one is closed later: in process, its end is an evaluation too.
            let outcome = engine.run_skill(&skill, json!({"word": "three"}), &run);
            let value = outcome.result.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(value.as_str().unwrap().ends_with(" three Oslo"), "{what}: {value}");
            assert_eq!(outcome.isolation, tier);
            session.close();
        }
    }
}
