//! Sessions on disk: with the library in every language and tier, and with the command over the death of its host.

use crate::support::{Sandbox, tiers};
use serde_json::{Value, json};
use skills::{
    Engine, ErrorKind, Isolation, Language, Persistence, RunOptions, Session, SessionStore, StoreKey, StoreLimits,
};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// What makes a variable, a function that uses it and a value that cannot be saved, and what calls the function.
fn code(language: Language) -> [&'static str; 2] {
    match language {
        Language::Rhai => ["let x = #{a: [1, 2.5, \"three\"]}; fn first(of) { of.a[0] }", "first(x) + 41"],
        Language::Python => ["x = {'a': [1, 2.5, 'three']}\ndef first(): return x['a'][0]", "first() + 41"],
        _ => ["const x = {a: [1, 2.5, 'three']}\nfunction first() { return x.a[0] }", "first() + 41"],
    }
}

fn store(folder: &Path) -> SessionStore {
    SessionStore::open(folder.join("sessions"), StoreKey::from_bytes([3; 32]), StoreLimits::default()).unwrap()
}

fn open(folder: &Path, language: Language, tier: Isolation) -> Result<Session, skills::Error> {
    let engine = Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0).bundled(false);
    let engine = engine.session_store(store(folder)).build().unwrap();
    let mut options = RunOptions::default();
    options.isolation = Some(tier);
    engine.session(language).name(language.as_str()).options(options).persistence(Persistence::Disk).open()
}

#[test]
fn every_language_goes_on_where_it_was_in_every_tier() {
    for tier in tiers() {
        let folder = tempfile::tempdir().unwrap();
        for language in [Language::Rhai, Language::Python, Language::JavaScript, Language::TypeScript] {
            let [make, call] = code(language);
            open(folder.path(), language, tier).unwrap().eval(make).unwrap();
            let again = open(folder.path(), language, tier).unwrap();
            assert_eq!(again.info().evaluations, 1);
            assert_eq!(again.eval(call).unwrap(), 42, "{language} {tier:?}");
            assert_eq!(again.get("x").unwrap(), json!({"a": [1, 2.5, "three"]}));
        }
    }
}

#[test]
fn what_a_worker_wrote_is_never_restored_in_process() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for language in [Language::Python, Language::JavaScript] {
        let [make, call] = code(language);
        open(folder.path(), language, Isolation::Worker).unwrap().eval(make).unwrap();
        let error = open(folder.path(), language, Isolation::InProcess).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.message().contains("was made in a worker"), "{error}");
        assert!(error.help().unwrap().contains("--isolation worker"));
        assert_eq!(open(folder.path(), language, Isolation::Worker).unwrap().eval(call).unwrap(), 42);
    }
    let folder = tempfile::tempdir().unwrap();
    let [make, call] = code(Language::Python);
    open(folder.path(), Language::Python, Isolation::InProcess).unwrap().eval(make).unwrap();
    assert_eq!(open(folder.path(), Language::Python, Isolation::Worker).unwrap().eval(call).unwrap(), 42);
    // It went through a worker, so it has become what a worker wrote.
    let error = open(folder.path(), Language::Python, Isolation::InProcess).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
}

#[test]
fn what_cannot_be_restored_says_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let engine = || {
        let builder = Engine::builder().bundled(false).session_store(store(folder.path()));
        builder.build().unwrap()
    };
    let mut options = RunOptions::default();
    options.isolation = Some(Isolation::InProcess);
    let open = |engine: &Engine| {
        let builder = engine.session(Language::Rhai).name("a").options(options.clone());
        builder.persistence(Persistence::Disk).open()
    };
    open(&engine()).unwrap().eval("let x = 1;").unwrap();
    let file = store(folder.path()).list().unwrap().0[0].file.clone();
    let other =
        SessionStore::open(folder.path().join("sessions"), StoreKey::from_bytes([4; 32]), StoreLimits::default());
    let stranger = Engine::builder().bundled(false).session_store(other.unwrap()).build().unwrap();
    let error = open(&stranger).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains(&file.display().to_string()), "{error}");
    std::fs::remove_file(&file).unwrap();
    assert!(open(&engine()).unwrap().eval("x").is_err(), "what was moved away begins anew");
}

/// The process of the host.
fn kill_host(sandbox: &Sandbox) {
    let stream = UnixStream::connect(sandbox.meeting_place().join("host.sock")).unwrap();
    let pid = rustix::net::sockopt::socket_peercred(&stream).unwrap().pid;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    while stat().rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z')) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn listed(sandbox: &Sandbox) -> Value {
    sandbox.run(&["sessions", "list", "--json"]).exits(0).json()
}

const IN_PROCESS: [&str; 2] = ["--isolation", "in-process"];

/// Evaluates in a session of the command, in process.
fn eval(sandbox: &Sandbox, more: &[&str], code: &str) -> crate::support::Ran {
    sandbox.run(&[&["eval", "--session", "notes"], &IN_PROCESS[..], more, &[code]].concat())
}

#[test]
fn a_killed_host_loses_no_session_on_disk() {
    let sandbox = Sandbox::new();
    eval(&sandbox, &["--lang", "python", "--persist", "disk"], "n = [0]").exits(0);
    for round in 1..=5 {
        let ran = eval(&sandbox, &["--json"], &format!("n.append({round}); n")).exits(0);
        assert_eq!(ran.json()["value"], json!((0..=round).collect::<Vec<_>>()), "{ran:?}");
        assert_eq!(ran.stderr, "", "it is the session that was there");
        kill_host(&sandbox);
    }
    let list = listed(&sandbox);
    assert_eq!(
        (&list[0]["name"], &list[0]["state"], &list[0]["persistence"]),
        (&json!("notes"), &json!("on_disk"), &json!("disk"))
    );
    assert_eq!(list[0]["evaluations"], 6);
    assert!(sandbox.run(&["sessions", "list"]).exits(0).stdout.contains("on disk"));
    sandbox.run(&["sessions", "kill", "notes"]).exits(0);
    assert_eq!(listed(&sandbox), json!([]));
    sandbox.run(&["sessions", "kill", "notes"]).exits(4);
}

#[test]
fn stopping_the_host_keeps_what_is_on_disk_and_killing_a_session_does_not() {
    let sandbox = Sandbox::new();
    eval(&sandbox, &["--persist", "disk"], "let x = 41;").exits(0);
    sandbox.run(&["sessions", "stop", "--force"]).exits(0);
    assert_eq!(eval(&sandbox, &["--json"], "x + 1").exits(0).json()["value"], 42);
    assert_eq!(listed(&sandbox)[0]["persistence"], "disk");
    sandbox.run(&["sessions", "kill", "notes"]).exits(0);
    assert_eq!(listed(&sandbox), json!([]));
    eval(&sandbox, &[], "x").exits(1);
}

#[test]
fn a_file_that_was_changed_is_refused_by_the_command() {
    let sandbox = Sandbox::new();
    eval(&sandbox, &["--persist", "disk"], "let x = 41;").exits(0);
    let file = PathBuf::from(store_of(&sandbox)[0].clone());
    sandbox.run(&["sessions", "stop", "--force"]).exits(0);
    // What was written last may stand in the log beside it.
    let mut changed = 0;
    for part in [file.clone(), file.with_extension("db-wal")].into_iter().filter(|part| part.exists()) {
        let mut bytes = std::fs::read(&part).unwrap();
        for at in 0..bytes.len().saturating_sub(9) {
            if bytes[at..].starts_with(b"\"evaluati") {
                bytes[at + 1] = b'E';
                changed += 1;
            }
        }
        std::fs::write(&part, bytes).unwrap();
    }
    assert!(changed > 0);
    let ran = eval(&sandbox, &["--persist", "disk"], "x").exits(6);
    assert!(ran.stderr.contains(&file.display().to_string()) && ran.stderr.contains("move it away"), "{ran:?}");
}

#[test]
fn what_could_not_be_saved_is_said_when_it_happens_and_when_it_is_missing() {
    let sandbox = Sandbox::new();
    let ran =
        eval(&sandbox, &["--lang", "python", "--persist", "disk"], "import threading\nlock = threading.Lock()\nx = 1")
            .exits(0);
    assert!(ran.stderr.contains("`lock` is not saved"), "{ran:?}");
    assert_eq!(eval(&sandbox, &[], "x").exits(0).stderr, "");
    kill_host(&sandbox);
    let ran = eval(&sandbox, &[], "x").exits(0);
    assert!(ran.stderr.contains("`lock` is not restored"), "{ran:?}");
}

/// The files of sessions.
fn store_of(sandbox: &Sandbox) -> Vec<String> {
    let folder = sandbox.folder.path().join(".local/share/skills/sessions");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    files.filter(|path| path.ends_with(".db")).collect()
}

#[test]
fn a_session_on_disk_is_there_again_when_the_host_was_killed() {
    let sandbox = Sandbox::new();
    let open = ["eval", "--session", "a", "--persist", "disk", "--lang", "python", "x = 41\ndef f(n): return n + 1"];
    if sandbox.run(&open).code != 0 && tiers().len() < 2 {
        return;
    }
    sandbox.run(&["eval", "--session", "b", "--lang", "python", "x = 1"]).exits(0);
    let stream = UnixStream::connect(sandbox.meeting_place().join("host.sock")).unwrap();
    let host = rustix::net::sockopt::socket_peercred(&stream).unwrap().pid;
    rustix::process::kill_process(host, rustix::process::Signal::KILL).unwrap();
    let ran = sandbox.run(&["eval", "--session", "a", "f(x)"]).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("42\n", ""));
    let ran = sandbox.run(&["eval", "--session", "b", "--lang", "python", "x"]).exits(1);
    assert!(ran.stderr.contains("the session host that kept it was killed"), "{ran:?}");
    let farewell = sandbox.run(&["sessions", "stop", "--json"]).exits(0).json();
    assert_eq!((&farewell["ended"], &farewell["kept"]), (&json!(["b"]), &json!(["a"])));
    assert_eq!(sandbox.run(&["eval", "--session", "a", "f(x)"]).exits(0).stdout, "42\n");
}
