use super::notebook::Notebook;
use crate::{
    Engine, EngineBuilder, ErrorKind, EvalOptions, Isolation, Language, Persistence, RunOptions, Session,
    SessionBudget, SessionBuilder, SessionHub, SessionStore, StoreKey, StoreLimits,
};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn store(folder: &Path) -> SessionStore {
    SessionStore::open(folder.join("sessions"), StoreKey::from_bytes([7; 32]), StoreLimits::default()).unwrap()
}

fn engine(folder: &Path) -> Engine {
    builder(folder).build().unwrap()
}

fn builder(folder: &Path) -> EngineBuilder {
    Engine::builder().bundled(false).session_store(store(folder))
}

pub(super) fn in_process() -> RunOptions {
    RunOptions { isolation: Some(Isolation::InProcess), ..RunOptions::default() }
}

fn rhai(engine: &Engine, name: &str) -> SessionBuilder {
    engine.session(Language::Rhai).name(name).options(in_process()).persistence(Persistence::Disk)
}

fn open(engine: &Engine, name: &str) -> Session {
    rhai(engine, name).open().unwrap()
}

#[test]
fn a_session_on_disk_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    {
        let first = open(&engine(folder.path()), "notes");
        first.eval("let x = 41; fn more(n) { n + 1 }").unwrap();
        assert_eq!(first.info().persistence, Persistence::Disk);
    }
    let again = open(&engine(folder.path()), "notes");
    assert_eq!(again.info().evaluations, 1);
    assert_eq!(again.eval("more(x)").unwrap(), 42);
    again.set("x", json!(1)).unwrap();
    assert_eq!(again.eval("let y = 7; throw 1").unwrap_err().kind(), ErrorKind::ScriptError);
    drop(again);
    let third = open(&engine(folder.path()), "notes");
    assert_eq!(third.eval("[x, y]").unwrap(), json!([1, 7]), "an error half way is no reason to forget the first half");
    assert_eq!(third.info().evaluations, 4);
}

#[test]
fn without_a_store_or_a_name_nothing_goes_to_disk() {
    let none = Engine::builder().bundled(false).build().unwrap();
    let error = rhai(&none, "a").open().unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, "this engine keeps no sessions on disk"));
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let nameless = engine.session(Language::Rhai).options(in_process()).persistence(Persistence::Disk).open();
    assert_eq!(nameless.unwrap_err().kind(), ErrorKind::InvalidArguments);
    let session = engine.session(Language::Rhai).name("m").options(in_process()).open().unwrap();
    session.eval("let x = 1;").unwrap();
    assert!(store(folder.path()).list().unwrap().0.is_empty());
}

#[test]
fn what_cannot_be_saved_is_named_at_once_and_when_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = builder(folder.path()).interpreter(Arc::new(Notebook { forks: false })).build().unwrap();
    let open = || {
        let builder = engine.session(Language::JavaScript).name("notes").options(in_process());
        builder.persistence(Persistence::Disk).open().unwrap()
    };
    let session = open();
    session.eval("x = 1").unwrap();
    let outcome = session.evaluate("socket = 7", &Default::default());
    let names: Vec<&str> = outcome.lost.iter().map(|lost| lost.name.as_str()).collect();
    assert_eq!(names, ["socket"]);
    assert_eq!(outcome.to_json()["lost"][0], json!({"name": "socket", "why": "it is open"}));
    assert_eq!(session.info().lost, outcome.lost);
    let outcome = session.evaluate("x", &Default::default());
    assert!(outcome.lost.is_empty() && outcome.to_json().get("lost").is_none(), "it is said once");
    assert_eq!(store(folder.path()).list().unwrap().0[0].lost[0].name, "socket");
    session.close();
    let again = open();
    assert_eq!(again.info().lost[0].name, "socket");
    assert_eq!(again.eval("x").unwrap(), 1);
    assert!(again.eval("socket").is_err());
}

#[test]
fn closing_leaves_it_on_disk_unless_it_was_to_be_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let listed =
        || -> Vec<String> { store(folder.path()).list().unwrap().0.into_iter().map(|session| session.name).collect() };
    let kept = open(&engine, "kept");
    kept.eval("let x = 1;").unwrap();
    kept.close();
    let cleaned = rhai(&engine, "cleaned").cleanup_on_exit(true).open().unwrap();
    cleaned.eval("let x = 1;").unwrap();
    assert_eq!(listed(), ["cleaned", "kept"]);
    cleaned.close();
    // Its thread removes it; one of the same name waits for that.
    let fresh = rhai(&engine, "cleaned").open().unwrap();
    assert!(fresh.eval("x").is_err());
    fresh.remove().unwrap();
    assert_eq!(listed(), ["kept"]);
    assert_eq!(open(&engine, "kept").eval("x").unwrap(), 1);
}

#[test]
fn what_idles_out_can_be_opened_again_and_a_spent_budget_stays_spent() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let idle = rhai(&engine, "idle").cleanup_on_exit(true).idle_timeout(Duration::from_millis(1)).open().unwrap();
    // It may idle out before it is asked for anything; what counts is what was answered.
    let answered = idle.eval("let x = 1;").is_ok();
    while idle.ended().is_none() {
        std::thread::yield_now();
    }
    let again = open(&engine, "idle");
    assert_eq!(again.eval("x").is_ok(), answered);

    let budget = SessionBudget { host_calls: Some(3), output: Some(10), ..SessionBudget::default() };
    let session = rhai(&engine, "small").budget(budget.clone()).open().unwrap();
    session.eval("print(\"12345\")").unwrap();
    session.close();
    let again = rhai(&engine, "small").budget(budget).open().unwrap();
    let error = again.eval("print(\"123456\")").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputLimit, "{error}");
}

#[test]
fn one_process_has_it_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let hub = SessionHub::new();
    let first = builder(folder.path()).sessions(hub).build().unwrap();
    let session = open(&first, "a");
    let held = store(folder.path()).claim("user", "a").unwrap_err();
    assert!(held.message.contains("another process"), "{held}");
    session.close();
    drop(super::super::kept::claim(&store(folder.path()), "user", "a").unwrap());
}

#[test]
fn nothing_of_a_secret_goes_to_disk() {
    let folder = tempfile::tempdir().unwrap();
    let engine = builder(folder.path()).secrets(Arc::new(OneSecret)).allow_secret("token").build().unwrap();
    let mut options = in_process();
    options.allow.secrets = Some(vec!["token".into()]);
    let session = rhai(&engine, "s").options(options.clone()).open().unwrap();
    session.eval("let a = 1;").unwrap();
    let outcome = session.evaluate("let t = skill.secret(\"token\");", &Default::default());
    assert!(outcome.result.is_ok(), "{outcome:?}");
    assert_eq!(outcome.lost[0].name, "*");
    assert!(outcome.lost[0].why.contains("secret `token`"), "{:?}", outcome.lost);
    for entry in std::fs::read_dir(folder.path().join("sessions")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|window| window == b"t0p-secret"));
    }
    let outcome = session.evaluate("t = (); let b = 2;", &Default::default());
    assert!(outcome.lost.is_empty(), "{:?}", outcome.lost);
    session.close();
    let again = rhai(&engine, "s").options(options).open().unwrap();
    assert_eq!(again.eval("[a, b]").unwrap(), json!([1, 2]));
}

struct OneSecret;

impl crate::SecretSource for OneSecret {
    fn secret(&self, _name: &str) -> Result<crate::SecretString, crate::Failure> {
        Ok(crate::SecretString::from("t0p-secret"))
    }
}

#[test]
fn it_gets_no_more_than_it_had_and_is_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    open(&engine, "a").eval("let x = 1;").unwrap();
    engine.find_session("a").unwrap().unwrap().close();
    let mut options = in_process();
    options.allow.file_read = Some(vec![folder.path().display().to_string()]);
    let error = rhai(&engine, "a").options(options.clone()).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("may not get more than it had: reading"), "{error}");
    let other = engine.session(Language::Python).name("a").options(in_process()).persistence(Persistence::Disk).open();
    let error = other.unwrap_err();
    assert_eq!(error.message(), "the session `a` on disk is in rhai");

    let more = rhai(&engine, "b").options(options.clone()).open().unwrap();
    more.eval("let x = 2;").unwrap();
    more.close();
    let fewer = open(&engine, "b");
    assert_eq!(fewer.eval("x").unwrap(), 2);
    fewer.eval("x = 3;").unwrap();
    fewer.close();
    let as_before = rhai(&engine, "b").options(options).open().unwrap();
    assert_eq!(as_before.eval("x").unwrap(), 3);
}

#[test]
fn a_copy_of_it_is_on_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let a = open(&engine, "a");
    a.eval("let x = [1];").unwrap();
    let b = a.fork("b").unwrap();
    a.eval("x.push(2);").unwrap();
    a.close();
    b.close();
    assert_eq!(open(&engine, "b").eval("x").unwrap(), json!([1]));
    assert_eq!(open(&engine, "a").eval("x").unwrap(), json!([1, 2]));
    let error = engine.find_session("a").unwrap().unwrap().fork("c").unwrap().fork("c").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{error}");
    for name in ["b", "c"] {
        engine.find_session(name).unwrap().unwrap().close();
    }
    let error = engine.find_session("a").unwrap().unwrap().fork("b").unwrap_err();
    assert!(error.message().contains("a session `b` on disk already"), "{error}");
}

#[test]
fn what_is_printed_while_a_session_is_saved_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let engine = builder(folder.path()).interpreter(Arc::new(Notebook { forks: false })).build().unwrap();
    let session = engine.session(Language::JavaScript).name("notes").options(in_process());
    let session = session.persistence(Persistence::Disk).open().unwrap();
    let outcome = session.evaluate("prints = 64", &Default::default());
    assert_eq!(outcome.lost.iter().map(|lost| lost.name.as_str()).collect::<Vec<_>>(), ["*"]);
    assert_eq!(outcome.lost[0].why, "output limit of 1 MB reached");
    assert!(session.evaluate("prints = 0", &Default::default()).lost.is_empty());
}

/// A session on disk whose saving runs what a namespace says of it.
fn notes(folder: &Path) -> Session {
    let engine = builder(folder).interpreter(Arc::new(Notebook { forks: false })).build().unwrap();
    let session = engine.session(Language::JavaScript).name("notes").options(in_process());
    session.persistence(Persistence::Disk).open().unwrap()
}

#[test]
fn saving_is_held_to_what_the_evaluation_has_left_and_the_value_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let session = notes(folder.path());
    let mut options = EvalOptions::default();
    options.limits.time = Some(Duration::from_millis(1500));
    let outcome = session.evaluate("spins = 1\nspins", &options);
    assert_eq!(outcome.result.unwrap(), 1);
    assert_eq!(outcome.lost[0].name, "*");
    assert!(outcome.lost[0].why.starts_with("execution time limit of 1"), "{:?}", outcome.lost);
    assert_eq!(session.eval("spins").unwrap(), 1, "the session goes on");
}

#[test]
fn saving_is_on_the_budget_of_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let engine = builder(folder.path()).interpreter(Arc::new(Notebook { forks: false })).build().unwrap();
    let budget = SessionBudget { time: Some(Duration::from_millis(500)), ..SessionBudget::default() };
    let session = engine.session(Language::JavaScript).name("notes").options(in_process()).budget(budget);
    let session = session.persistence(Persistence::Disk).open().unwrap();
    assert_eq!(session.eval("spins = 1\nspins").unwrap(), 1);
    let error = session.eval("spins").unwrap_err();
    assert!(error.message().contains("the session's budget is spent"), "{error}");
}

#[test]
fn an_interruption_stops_the_saving_and_loses_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let session = notes(folder.path());
    session.eval("x = 1").unwrap();
    let outcome = std::thread::scope(|scope| {
        let evaluating = scope.spawn(|| session.evaluate("spins = 1\nspins", &EvalOptions::default()));
        while session.info().evaluations < 2 {
            std::thread::yield_now();
        }
        while !session.interrupt() {
            std::thread::yield_now();
        }
        evaluating.join().unwrap()
    });
    assert_eq!(outcome.result.unwrap(), 1);
    assert_eq!((outcome.lost[0].name.as_str(), outcome.lost[0].why.as_str()), ("*", "the run was cancelled"));
}
