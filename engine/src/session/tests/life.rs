use super::notebook::Notebook;
use super::{builder, session};
use crate::{
    Engine, ErrorKind, EvalOptions, Isolation, Language, Persistence, RunOptions, SessionBudget, SessionChange,
    SessionHub, SessionImage, SessionState,
};
use serde_json::json;
use std::sync::Arc;

#[test]
fn what_is_evaluated_stays_for_the_next_evaluation() {
    let engine = builder().build().unwrap();
    let session = session(&engine, "a");
    session.eval("x = 41").unwrap();
    assert_eq!(session.eval("x").unwrap(), 41);
    session.set("y", json!([1])).unwrap();
    assert_eq!(session.get("y").unwrap(), json!([1]));
    assert_eq!(session.get("z").unwrap_err().kind(), ErrorKind::NotFound);
    let names: Vec<_> = session.variables().unwrap().into_iter().map(|variable| variable.name).collect();
    assert_eq!(names, ["x", "y"]);
}

#[test]
fn a_session_is_found_by_its_name_until_it_is_closed() {
    let engine = builder().build().unwrap();
    let made_up = engine.session(Language::JavaScript).open().unwrap();
    assert_eq!(made_up.name(), "javascript-1");
    session(&engine, "a").eval("x = 1").unwrap();
    let found = engine.find_session("a").unwrap().unwrap();
    assert_eq!(found.eval("x").unwrap(), 1);
    let error = engine.session(Language::JavaScript).name("a").open().unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidArguments, "there is a session `a` already"));
    assert_eq!(engine.sessions().len(), 2);
    found.close();
    assert!(engine.find_session("a").unwrap().is_none());
    assert_eq!(found.eval("x").unwrap_err().message(), "session `a` has been closed");
    assert!(found.ended().is_none());
    assert_eq!(found.info().state, SessionState::Ended);
    session(&engine, "a");
}

#[test]
fn a_name_is_letters_digits_and_little_else() {
    let engine = builder().build().unwrap();
    for wrong in ["", "a b", "../a", ".a", "-a", "ä", &"a".repeat(65)] {
        let error = engine.session(Language::JavaScript).name(wrong).open().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{wrong}");
    }
    session(&engine, "A-1_b.c");
}

#[test]
fn what_it_says_of_itself() {
    let engine = builder().build().unwrap();
    let budget = SessionBudget { operations: Some(5), ..SessionBudget::default() };
    let session = engine.session(Language::JavaScript).name("a").owner("skill:user:b").budget(budget).open().unwrap();
    session.eval("x = 1").unwrap();
    let info = session.info();
    assert_eq!((info.name.as_str(), info.owner.as_str(), info.state), ("a", "skill:user:b", SessionState::Idle));
    assert_eq!((info.evaluations, info.memory_bytes), (1, Some(1)));
    assert_eq!((info.isolation, info.persistence), (Isolation::InProcess, Persistence::Memory));
    assert_eq!(json!(info.budget), json!({"operations": {"limit": 5, "used": 1}}));
}

#[test]
fn a_value_is_shown_where_there_is_one() {
    let engine = builder().build().unwrap();
    let session = session(&engine, "a");
    let outcome = session.evaluate("x = 7\nx", &EvalOptions::default());
    assert_eq!(outcome.shown.as_ref().unwrap().text, "7");
    assert_eq!(outcome.to_json()["shown"]["text"], "7");
    let outcome = session.evaluate("x = 7", &EvalOptions::default());
    assert!(outcome.to_json().get("shown").is_none());
}

#[test]
fn errors_leave_the_session_and_death_ends_it() {
    let engine = builder().build().unwrap();
    for (code, kind) in [("die", ErrorKind::Crashed), ("panic", ErrorKind::Crashed)] {
        let session = session(&engine, code);
        session.eval("x = 1").unwrap();
        assert_eq!(session.eval("fail").unwrap_err().kind(), ErrorKind::ScriptError);
        assert_eq!(session.eval("x").unwrap(), 1);
        assert_eq!(session.eval(code).unwrap_err().kind(), kind);
        assert_eq!(session.ended().unwrap().kind(), kind);
        let later = session.eval("x").unwrap_err();
        assert_eq!(later.kind(), kind);
        assert!(later.message().starts_with(&format!("session `{code}` has ended: ")), "{later}");
        assert!(engine.find_session(code).unwrap().is_none());
    }
}

#[test]
fn a_session_has_the_functions_that_were_there_when_it_was_opened() {
    let engine = builder().build().unwrap();
    engine.function("one", || Ok::<_, String>(1)).unwrap();
    let session = session(&engine, "a");
    engine.function("two", || Ok::<_, String>(2)).unwrap();
    assert_eq!(session.eval("call one").unwrap(), 1);
    assert_eq!(session.eval("call two").unwrap_err().kind(), ErrorKind::Crashed);
}

#[test]
fn a_copy_goes_its_own_way_with_what_was_spent() {
    for forks in [true, false] {
        let engine = Engine::builder().interpreter(Arc::new(Notebook { forks })).build().unwrap();
        let budget = SessionBudget { operations: Some(4), ..SessionBudget::default() };
        let a = engine.session(Language::JavaScript).name("a").owner("me").budget(budget).open().unwrap();
        a.eval("x = 1\nsocket = 3").unwrap();
        let b = a.fork("b").unwrap();
        b.eval("x = 2").unwrap();
        assert_eq!((a.eval("x").unwrap(), b.eval("x").unwrap()), (json!(1), json!(2)));
        assert_eq!(b.info().owner, "me");
        assert_eq!(b.info().evaluations, 3);
        // Only a snapshot loses what cannot be kept.
        assert_eq!(
            b.info().lost.iter().map(|lost| lost.name.as_str()).collect::<Vec<_>>(),
            if forks { vec![] } else { vec!["socket"] }
        );
        b.eval("x").unwrap();
        let error = b.eval("x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationLimit);
        assert!(a.ended().is_none());
        assert_eq!(a.fork("a").unwrap_err().message(), "there is a session `a` already");
    }
}

#[test]
fn an_image_is_restored_with_its_budget() {
    let engine = builder().build().unwrap();
    let budget = SessionBudget { operations: Some(9), ..SessionBudget::default() };
    let a = engine.session(Language::JavaScript).name("a").budget(budget).open().unwrap();
    a.eval("x = 1\nsocket = 3").unwrap();
    let image = a.snapshot().unwrap();
    assert_eq!(image.lost()[0].name, "socket");
    a.close();
    let b = engine.restore_session(&image).open().unwrap();
    assert_eq!((b.name(), b.eval("x").unwrap()), ("a", json!(1)));
    assert_eq!(b.info().budget["operations"]["used"], 2);
    assert_eq!(b.info().lost[0].name, "socket");
}

#[test]
fn what_was_bytes_is_restored_in_a_worker_only() {
    let engine = builder().build().unwrap();
    let a = session(&engine, "a");
    a.eval("x = 1").unwrap();
    let bytes = a.snapshot().unwrap().to_bytes();
    let image = SessionImage::from_bytes(&bytes).unwrap();
    let options = RunOptions { isolation: Some(Isolation::InProcess), ..RunOptions::default() };
    let error = engine.restore_session(&image).name("b").options(options).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.message(), "the snapshot of session `a` is restored in a worker only");
}

#[test]
fn what_was_bytes_gets_the_permissions_of_a_skill_only_where_a_person_says_so() {
    let engine = builder().bundled(true).build().unwrap();
    let a = session(&engine, "a");
    let mut image = SessionImage::from_bytes(&a.snapshot().unwrap().to_bytes()).unwrap();
    image.about.skill = Some("bundled:calculator-js".to_owned());
    let error = engine.restore_session(&image).name("b").open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().ends_with("would have the permissions of `bundled:calculator-js`"), "{error}");
    // With a yes, it is what its tier says that decides.
    let options = RunOptions { yes: true, isolation: Some(Isolation::InProcess), ..RunOptions::default() };
    let error = engine.restore_session(&image).name("b").options(options).open().unwrap_err();
    assert_eq!(error.message(), "the snapshot of session `a` is restored in a worker only");
}

#[test]
fn what_is_no_image_is_refused() {
    let engine = builder().build().unwrap();
    let bytes = session(&engine, "a").snapshot().unwrap().to_bytes();
    for wrong in [&b""[..], b"skills session 2\n", &bytes[..20], &bytes[..40]] {
        let error = SessionImage::from_bytes(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
        assert!(error.message().starts_with("this is no exported session"), "{error}");
    }
    let mut huge = bytes.clone();
    huge[17..21].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(SessionImage::from_bytes(&huge).is_err());
}

#[test]
fn a_hub_of_its_own_ends_with_the_engine() {
    let engine = builder().build().unwrap();
    let events = engine.session_hub().watch();
    let a = session(&engine, "a");
    drop(engine);
    // A handle keeps the engine.
    a.eval("x = 1").unwrap();
    drop(a);
    let opened = events.recv().unwrap();
    assert_eq!((opened.what, opened.session.name.as_str()), (SessionChange::Opened, "a"));
    assert!(matches!(events.recv().unwrap().what, SessionChange::Evaluated { error: None, .. }));
    // The hub is gone, and with it the session's thread.
    assert!(events.recv().is_err());
}

#[test]
fn engines_that_share_a_hub_share_sessions() {
    let hub = SessionHub::new();
    let one = builder().sessions(hub.clone()).build().unwrap();
    let two = builder().sessions(hub.clone()).build().unwrap();
    session(&one, "a").eval("x = 1").unwrap();
    drop(one);
    let events = hub.watch();
    let found = two.find_session("a").unwrap().unwrap();
    assert_eq!(found.eval("x").unwrap(), 1);
    assert!(matches!(events.recv().unwrap().what, SessionChange::Evaluated { .. }));
    hub.close_all();
    assert_eq!(events.recv().unwrap().what, SessionChange::Ended { reason: None });
    assert!(two.sessions().is_empty());
}

#[test]
fn there_are_only_so_many_sessions() {
    let engine = builder().max_sessions(2).build().unwrap();
    let (a, _b) = (session(&engine, "a"), session(&engine, "b"));
    let error = engine.session(Language::JavaScript).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueueFull);
    assert_eq!(error.message(), "there are 2 sessions already, the most that there may be");
    a.close();
    session(&engine, "c");
}

#[test]
fn nothing_is_kept_on_disk_where_there_is_no_place() {
    let engine = builder().build().unwrap();
    let error = engine.session(Language::JavaScript).persistence(Persistence::Disk).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
