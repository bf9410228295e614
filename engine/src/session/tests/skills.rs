use super::builder;
use crate::{
    Answer, Approver, Engine, ErrorKind, EvalOptions, Isolation, Language, Permissions, Persistence, Question, Reply,
    RunOptions, SessionChange, Skill, Trust,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A `code_session` skill of a program, with more keys.
fn definition(folder: &TempDir, more: Value) -> String {
    let mut definition = json!({"name": "a", "description": "A.", "type": "code_session", "command": "node"});
    for (key, value) in more.as_object().unwrap() {
        definition[key] = value.clone();
    }
    std::fs::write(folder.path().join("main.js"), "x").unwrap();
    std::fs::write(folder.path().join("main.py"), "x").unwrap();
    let file = folder.path().join("a.json");
    std::fs::write(&file, definition.to_string()).unwrap();
    file.display().to_string()
}

fn skill(engine: &Engine, more: Value) -> Arc<Skill> {
    let folder = tempfile::tempdir().unwrap();
    engine.skill(&definition(&folder, more)).unwrap()
}

#[test]
fn a_program_that_is_an_interpreter_runs_embedded_unless_something_needs_a_process() {
    let engine = builder().build().unwrap();
    let language = |more: Value| skill(&engine, more).embedded.as_ref().map(|script| script.language);
    for (more, expected) in [
        (json!({}), Some(Language::JavaScript)),
        (json!({"command": "python3.12"}), Some(Language::Python)),
        (json!({"args": ["file://./main.js", "-v"]}), Some(Language::JavaScript)),
        (json!({"command": "python3", "args": ["file://./main.py"]}), Some(Language::Python)),
        (json!({"command": "python3", "args": ["file://./main.js"]}), None),
        (json!({"args": ["-v", "file://./main.js"]}), None),
        (json!({"command": "python3-config"}), None),
        (json!({"command": "/usr/bin/node"}), None),
        (json!({"command": "bash"}), None),
        (json!({"stdin": "json"}), None),
        (json!({"exit_codes": {"1": "no"}}), None),
        (json!({"session_config": {"external": true}}), None),
        (json!({"session_config": {"external": false}}), Some(Language::JavaScript)),
        (json!({"type": "code_inline"}), None),
    ] {
        assert_eq!(language(more.clone()), expected, "{more}");
    }
}

#[test]
fn the_script_of_a_program_meets_its_arguments_and_keeps_its_state() {
    let engine = builder().build().unwrap();
    let more = json!({
        "args": ["file://./main.js", "--session", "{session_id}", "{x}"],
        "environment": {"CITY": "Oslo"},
        "parameters": {"x": {"type": "string"}},
    });
    let session = engine.skill_session(&skill(&engine, more)).name("mine").open().unwrap();
    let run = |x: &str| session.run(json!({"x": x}), &RunOptions::default());
    assert_eq!(run("one").result.unwrap(), "one");
    session.eval("y = 2").unwrap();
    assert_eq!(run("two").result.unwrap(), "two");
    assert_eq!(session.eval("y").unwrap(), 2);
    let process = session.get("process").unwrap();
    let process = process.as_str().unwrap();
    assert!(process.contains(r#"main.js","--session","mine","two"]"#), "{process}");
    assert!(process.contains(r#"{"CITY":"Oslo"}"#), "{process}");
}

#[test]
fn a_run_without_a_session_has_one_of_a_single_call() {
    let engine = builder().build().unwrap();
    let skill = skill(&engine, json!({"args": ["file://./main.js", "{session_id}"]}));
    let outcome = engine.run_skill(&skill, json!({"x": 1}), &RunOptions::default());
    assert_eq!(outcome.result.unwrap(), 1);
    let error = engine.run_skill(&skill, json!({}), &RunOptions::default()).result.unwrap_err();
    assert_eq!(error.message(), "no such name");
    assert!(engine.sessions().is_empty());
    let options = RunOptions { session: Some("named".into()), ..RunOptions::default() };
    let plan = serde_json::to_value(engine.plan(&skill, json!({}), &options).unwrap()).unwrap();
    assert_eq!(plan["step"]["arguments"], json!(["named"]));
}

#[test]
fn what_a_program_prints_is_its_value_where_there_is_no_other() {
    let engine = builder().build().unwrap();
    let skill = |code: &str, output: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = definition(&folder, json!({"args": ["file://./main.js"], "output": output}));
        std::fs::write(folder.path().join("main.js"), code).unwrap();
        engine.skill(&file).unwrap()
    };
    let run = |code: &str, output: &str| engine.run_skill(&skill(code, output), json!({}), &RunOptions::default());
    let outcome = run("print {\"a\": 1}", "json");
    assert_eq!((outcome.result.unwrap(), outcome.stdout.as_str()), (json!({"a": 1}), ""));
    let outcome = run("print told\nx = 1\nx", "text");
    assert_eq!((outcome.result.unwrap(), outcome.stdout.as_str()), (json!(1), "told"));
    let outcome = run("print told\nfail", "text");
    assert_eq!((outcome.result.unwrap_err().message(), outcome.stdout.as_str()), ("it failed", "told"));
}

#[test]
fn the_keys_of_a_session_hold() {
    let engine = builder().build().unwrap();
    let events = engine.session_hub().watch();
    let session = json!({"session_timeout": 0.05, "max_duration": 3600, "max_sessions": 1});
    let skill = skill(&engine, json!({"session_config": session}));
    let one = engine.skill_session(&skill).open().unwrap();
    let error = engine.skill_session(&skill).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueueFull);
    assert_eq!(error.message(), "there is 1 session of `direct:a` already, the most that there may be");
    let ended = |what: &SessionChange| matches!(what, SessionChange::Ended { reason: Some(_) });
    while !ended(&events.recv_timeout(Duration::from_secs(60)).unwrap().what) {}
    assert!(one.ended().unwrap().message().starts_with("nothing was asked of it"));
    engine.skill_session(&skill).open().unwrap();
}

#[test]
fn a_session_lives_no_longer_than_its_definition_says() {
    let engine = builder().build().unwrap();
    let skill = skill(&engine, json!({"session_config": {"max_duration": 0.1}}));
    let error = engine.skill_session(&skill).open().unwrap().eval("spin").unwrap_err();
    assert!(error.message().ends_with("it has lived for 0.1 s, which is the longest that it may"), "{error}");
}

#[test]
fn state_is_gone_with_each_call_where_the_definition_keeps_none() {
    let engine = builder().build().unwrap();
    for (persistence, kept) in [("none", false), ("memory", true)] {
        let skill = skill(&engine, json!({"session_config": {"state_persistence": persistence}}));
        let session = engine.skill_session(&skill).open().unwrap();
        session.eval("x = 1").unwrap();
        assert_eq!(session.eval("x").is_ok(), kept, "{persistence}");
        assert_eq!(session.info().persistence == Persistence::Memory, kept);
        session.close();
    }
}

#[test]
fn a_run_can_be_awaited() {
    let engine = builder().build().unwrap();
    let session = engine.skill_session(&skill(&engine, json!({"args": ["file://./main.js"]}))).open().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(session.run_async(json!({"x": 7}), RunOptions::default()));
    assert_eq!(outcome.result.unwrap(), 7);
}

#[test]
fn a_session_of_no_skill_has_nothing_to_run() {
    let engine = builder().build().unwrap();
    let session = super::session(&engine, "a");
    let error = session.run(json!({}), &RunOptions::default()).result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    let skill = skill(&engine, json!({"parameters": {"x": {"type": "number"}}}));
    let session = engine.skill_session(&skill).open().unwrap();
    let error = session.run(json!({"x": "text"}), &RunOptions::default()).result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
}

#[test]
fn a_run_with_other_permissions_than_the_session_is_refused() {
    let engine = builder().build().unwrap();
    let session = engine.skill_session(&skill(&engine, json!({}))).name("a").open().unwrap();
    let allow = Permissions { environment: Some(vec!["CITY".into()]), ..Permissions::default() };
    let options = RunOptions { allow, ..RunOptions::default() };
    let error = session.run(json!({}), &options).result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.message(), "session `a` was opened with other permissions than this run would have");
    session.run(json!({}), &RunOptions::default()).result.unwrap();
    let options = RunOptions { isolation: Some(Isolation::Worker), ..RunOptions::default() };
    // Where no worker can be had, that is what is said.
    let error = session.run(json!({}), &options).result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unavailable), "{error}");
}

/// Says yes to all for this once, and counts.
#[derive(Default)]
struct Yes(AtomicUsize);

impl Approver for Yes {
    fn ask(&self, _question: &Question) -> Option<Reply> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Some(Reply::from(Answer::Once))
    }
}

#[test]
fn what_a_person_said_at_the_opening_holds_for_the_session() {
    let yes = Arc::new(Yes::default());
    let asked: Arc<dyn Approver> = Arc::clone(&yes) as _;
    let engine = builder().trust(Trust::Decided).approver(asked).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let skill = engine.skill(&definition(&folder, json!({}))).unwrap();
    let session = engine.skill_session(&skill).name("a").open().unwrap();
    assert_eq!(session.info().isolation, Isolation::InProcess);
    for _ in 0..3 {
        session.run(json!({}), &RunOptions::default()).result.unwrap();
    }
    let copy = session.fork("b").unwrap();
    copy.run(json!({}), &RunOptions::default()).result.unwrap();
    assert_eq!(yes.0.load(Ordering::SeqCst), 1);
    // Code that is typed is confined, as everywhere, and this session is not.
    let error = session.evaluate("x = 1", &EvalOptions::default()).result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unavailable), "{error}");
    session.run(json!({}), &RunOptions::default()).result.unwrap();
}

/// Never answers, as a person who has left.
#[derive(Default)]
struct Silent(AtomicUsize);

impl Approver for Silent {
    fn ask(&self, question: &Question) -> Option<Reply> {
        self.ask_while(question, &|| true)
    }

    fn ask_while(&self, _question: &Question, wanted: &dyn Fn() -> bool) -> Option<Reply> {
        self.0.fetch_add(1, Ordering::SeqCst);
        while wanted() {
            std::thread::yield_now();
        }
        None
    }
}

#[test]
fn nobody_waits_for_an_answer_longer_than_somebody_wants_it() {
    let silent = Arc::new(Silent::default());
    let asked: Arc<dyn Approver> = Arc::clone(&silent) as _;
    let engine = builder().trust(Trust::Decided).approver(asked).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let skill = engine.skill(&definition(&folder, json!({}))).unwrap();
    let open = || engine.skill_session(&skill).name("a").open();
    std::thread::scope(|scope| {
        let opening = scope.spawn(open);
        while silent.0.load(Ordering::SeqCst) < 1 {
            std::thread::yield_now();
        }
        let cancel = crate::Cancel::new();
        cancel.cancel();
        let error = engine.session_hub().find_unless("a", &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "whoever looks for it may give up");
        assert!(engine.session_hub().cancel_opening("a"));
        let error = opening.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(error.message().contains("was stopped before anybody said whether `direct:a` may run"), "{error}");
    });
    assert!(!engine.session_hub().cancel_opening("a") && engine.find_session("a").unwrap().is_none());
}
