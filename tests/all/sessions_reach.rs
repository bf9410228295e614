//! What scripts reach of other sessions: `skill.session`.

use crate::support::tiers;
use serde_json::json;
use skills::{Engine, ErrorKind, Isolation, Language, RunOptions, Session};

const LANGUAGES: [Language; 3] = [Language::Rhai, Language::Python, Language::JavaScript];

fn engine() -> Engine {
    Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0).bundled(false).build().unwrap()
}

fn options(tier: Isolation) -> RunOptions {
    let mut options = RunOptions::default();
    options.isolation = Some(tier);
    options
}

fn open(engine: &Engine, language: Language, name: &str, tier: Isolation) -> Session {
    engine.session(language).name(name).options(options(tier)).open().unwrap()
}

#[test]
fn values_move_between_sessions_of_all_languages() {
    for tier in tiers() {
        let engine = engine();
        let other = open(&engine, Language::Python, "other", tier);
        other.eval("x = {'a': [1, 2]}\ndef f(): return 1").unwrap();
        for language in LANGUAGES {
            let session = open(&engine, language, language.as_str(), tier);
            let what = format!("{language} {tier:?}");
            assert_eq!(session.eval("skill.session(\"other\").get(\"x\")").unwrap(), json!({"a": [1, 2]}), "{what}");
            assert_eq!(session.eval("skill.session.get(\"other\", \"x\")").unwrap(), json!({"a": [1, 2]}), "{what}");
            session.eval("skill.session(\"other\").set(\"y\", [1, \"two\"])").unwrap();
            assert_eq!(other.eval("y").unwrap(), json!([1, "two"]), "{what}");
            assert_eq!(session.eval("skill.session(\"other\").evaluate(\"len(y) + 40\")").unwrap(), 42, "{what}");
            let variables = session.eval("skill.session(\"other\").vars()").unwrap();
            let names: Vec<&str> = variables.as_array().unwrap().iter().filter_map(|v| v["name"].as_str()).collect();
            assert_eq!(names, ["f", "x", "y"], "{what}");
            assert_eq!(session.eval("skill.session(\"nope\")").unwrap_err().kind(), ErrorKind::NotFound, "{what}");
            let error = session.eval("skill.session(\"other\").get(\"nope\")").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{what}: {error}");
        }
    }
}

#[test]
fn a_description_is_no_value_to_set() {
    let engine = engine();
    let session = open(&engine, Language::Python, "a", Isolation::InProcess);
    open(&engine, Language::JavaScript, "b", Isolation::InProcess);
    let error = session.eval("def f(): pass\nskill.session('b').set('f', f)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{error}");
    assert!(error.message().contains("a function in it cannot be given to `f`"), "{error}");
}

#[test]
fn a_session_that_would_wait_for_itself_says_so() {
    for tier in tiers() {
        let engine = engine();
        let a = open(&engine, Language::Python, "a", tier);
        let b = open(&engine, Language::JavaScript, "b", tier);
        let error = a.eval("skill.session('a').get('x')").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{error}");
        assert!(error.message().contains("would wait for itself"), "{error}");
        let ring = "skill.session('b').evaluate(\"skill.session('a').vars()\")";
        let error = a.eval(ring).unwrap_err();
        assert!(error.message().contains("would wait for itself"), "{error}");
        assert_eq!((a.eval("1").unwrap(), b.eval("2").unwrap()), (json!(1), json!(2)));
    }
}

#[test]
fn a_run_that_is_stopped_waits_no_longer_and_stops_what_it_asked_for() {
    let engine = engine();
    let a = open(&engine, Language::Rhai, "a", Isolation::InProcess);
    let b = open(&engine, Language::JavaScript, "b", Isolation::InProcess);
    let waits = {
        let a = a.clone();
        std::thread::spawn(move || a.eval("skill.session(\"b\").evaluate(\"for (;;);\")").unwrap_err().kind())
    };
    while b.info().state != skills::SessionState::Busy {
        std::thread::yield_now();
    }
    assert!(a.interrupt());
    assert_eq!(waits.join().unwrap(), ErrorKind::Cancelled);
    assert_eq!(b.eval("1 + 1").unwrap(), 2, "it loops no more");
}

#[test]
fn another_owner_s_is_reached_by_grant_only() {
    let engine = engine();
    let theirs = engine.session(Language::Rhai).name("theirs").owner("skill:project:reports");
    let theirs = theirs.options(options(Isolation::InProcess)).open().unwrap();
    theirs.eval("let x = 7;").unwrap();
    let get = "skill.session(\"theirs\").get(\"x\")";
    let mine = open(&engine, Language::Rhai, "mine", Isolation::InProcess);
    let error = mine.eval(get).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.message().contains("`theirs` of `skill:project:reports`"), "{error}");
    assert!(error.help().unwrap().contains("\"sessions\": [\"theirs\"]"), "{error:?}");
    let mut granted = options(Isolation::InProcess);
    granted.allow.sessions = Some(vec!["theirs".into()]);
    let mine = engine.session(Language::Rhai).name("granted").options(granted).open().unwrap();
    assert_eq!(mine.eval(get).unwrap(), 7);
}

#[test]
fn nobody_has_done_elsewhere_what_may_not_be_done_here() {
    let engine = engine();
    let folder = tempfile::tempdir().unwrap();
    let mut more = options(Isolation::InProcess);
    more.allow.file_read = Some(vec![folder.path().display().to_string()]);
    let strong = engine.session(Language::Rhai).name("strong").options(more).open().unwrap();
    strong.eval("let x = 1;").unwrap();
    let weak = open(&engine, Language::Rhai, "weak", Isolation::InProcess);
    let error = weak.eval("skill.session(\"strong\").evaluate(\"x\")").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.message().contains("it has more, reading"), "{error}");
    assert_eq!(weak.eval("skill.session(\"strong\").get(\"x\")").unwrap(), 1, "data passes");
    assert!(strong.eval("skill.session(\"weak\").evaluate(\"1\")").is_ok());
    if tiers().contains(&Isolation::Worker) {
        let confined = open(&engine, Language::Rhai, "confined", Isolation::Worker);
        let error = confined.eval("skill.session(\"weak\").evaluate(\"1\")").unwrap_err();
        assert!(error.message().contains("running in process"), "{error}");
    }
}

#[test]
fn what_is_built_in_is_given_no_other_value_from_outside() {
    let built_in = [
        (Language::Rhai, ["skill", "skill"]),
        (Language::Python, ["print", "skill"]),
        (Language::JavaScript, ["Map", "console"]),
        (Language::TypeScript, ["skill", "parseInt"]),
    ];
    for tier in tiers() {
        let engine = engine();
        let session = open(&engine, Language::Rhai, "a", tier);
        for (language, names) in built_in {
            let other = open(&engine, language, language.as_str(), tier);
            for name in names {
                let error = session.eval(&format!("skill.session(\"{language}\").set(\"{name}\", 1)")).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{error}");
                assert!(error.message().contains(&format!("`{name}` means something in ")), "{error}");
                assert_eq!(other.set(name, json!(1)).unwrap_err().kind(), ErrorKind::InvalidArguments);
            }
            other.set("mine", json!(41)).unwrap();
            assert_eq!(other.get("mine").unwrap(), 41);
        }
    }
}
