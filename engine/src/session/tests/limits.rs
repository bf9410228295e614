use super::{builder, session};
use crate::{
    Approver, Cancel, Error, ErrorKind, EvalOptions, Language, LimitName, Question, Reply, SessionBudget,
    SessionChange, Trust, WeakEngine,
};
use serde_json::json;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

fn limits(time: Duration) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.limits.time = Some(time);
    options
}

#[test]
fn a_limit_of_an_evaluation_leaves_the_session() {
    let engine = builder().build().unwrap();
    let session = session(&engine, "a");
    session.eval("x = 1").unwrap();
    let outcome = session.evaluate("spin", &limits(Duration::from_millis(10)));
    assert_eq!(outcome.result.unwrap_err().limit().unwrap().name, LimitName::Time);
    assert_eq!(session.eval("x").unwrap(), 1);
}

#[test]
fn a_budget_adds_up_and_ends_the_session() {
    let engine = builder().build().unwrap();
    engine.function("one", || Ok::<_, String>(1)).unwrap();
    let time = Some(Duration::from_millis(40));
    for (budget, code, name) in [
        (SessionBudget { time, ..SessionBudget::default() }, "spin", LimitName::Time),
        (SessionBudget { wall: time, ..SessionBudget::default() }, "spin", LimitName::Wall),
        (SessionBudget { operations: Some(2), ..SessionBudget::default() }, "x = 1", LimitName::Operations),
        (SessionBudget { output: Some(7), ..SessionBudget::default() }, "print abc", LimitName::Output),
        (SessionBudget { host_calls: Some(2), ..SessionBudget::default() }, "call one", LimitName::HostCalls),
    ] {
        let total = budget.clone();
        let session = engine.session(Language::JavaScript).name("a").budget(budget).open().unwrap();
        // Each evaluation by itself stays within all limits.
        let mut last = None;
        for _ in 0..3 {
            let outcome = session.evaluate(code, &limits(Duration::from_millis(20)));
            last = outcome.result.err();
        }
        let error = last.unwrap();
        let breach = error.limit().unwrap();
        assert_eq!(breach.name, name, "{error}");
        assert_eq!(error.kind(), name.error_kind());
        assert!(breach.reading >= breach.limit, "{breach:?}");
        assert_eq!(
            Some(breach.limit),
            [total.operations, total.output, total.host_calls, Some(40)].into_iter().flatten().next()
        );
        assert!(error.message().contains("the session's budget is spent"), "{error}");
        assert_eq!(session.ended().unwrap().kind(), error.kind());
        let later = session.eval("x = 1").unwrap_err();
        assert!(later.message().starts_with("session `a` has ended: the session's budget is spent"), "{later}");
        assert_eq!(later.limit(), error.limit());
    }
}

#[test]
fn an_interruption_stops_what_is_under_way_and_nothing_else() {
    let engine = builder().build().unwrap();
    let session = session(&engine, "a");
    assert!(!session.interrupt());
    session.eval("x = 1").unwrap();
    let spinning = std::thread::spawn({
        let session = session.clone();
        move || session.eval("spin").unwrap_err()
    });
    while !session.interrupt() {
        std::thread::yield_now();
    }
    assert_eq!(spinning.join().unwrap().kind(), ErrorKind::Cancelled);
    assert_eq!(session.eval("x").unwrap(), 1);
}

#[test]
fn what_was_cancelled_before_its_turn_is_not_done() {
    let engine = builder().build().unwrap();
    let session = session(&engine, "a");
    let cancel = Cancel::new();
    cancel.cancel();
    let options = EvalOptions { cancel: Some(cancel), ..EvalOptions::default() };
    let outcome = session.evaluate("spin", &options);
    assert_eq!(outcome.result.unwrap_err().kind(), ErrorKind::Cancelled);
    session.eval("x = 1").unwrap();
}

#[test]
fn closing_stops_what_is_under_way() {
    let engine = builder().build().unwrap();
    let session = session(&engine, "a");
    let spinning = std::thread::spawn({
        let session = session.clone();
        move || session.eval("spin").unwrap_err()
    });
    while session.info().state != crate::SessionState::Busy {
        std::thread::yield_now();
    }
    session.close();
    assert_eq!(spinning.join().unwrap().message(), "session `a` has been closed");
}

#[test]
fn a_session_that_idles_ends_and_one_that_is_used_does_not() {
    let engine = builder().build().unwrap();
    let events = engine.session_hub().watch();
    let idle =
        engine.session(Language::JavaScript).name("idle").idle_timeout(Duration::from_millis(30)).open().unwrap();
    let spinning = std::thread::spawn({
        let idle = idle.clone();
        move || idle.evaluate("spin", &limits(Duration::from_millis(120))).result.unwrap_err()
    });
    // An evaluation that takes longer than the timeout is no idling.
    assert_eq!(spinning.join().unwrap().kind(), ErrorKind::Timeout);
    let ended = loop {
        let event = events.recv_timeout(Duration::from_secs(60)).unwrap();
        if let SessionChange::Ended { reason } = event.what {
            break reason.unwrap();
        }
    };
    assert_eq!(ended, "nothing was asked of it for 0 s");
    assert_eq!(idle.ended().unwrap().kind(), ErrorKind::Timeout);
    assert_eq!(idle.info().evaluations, 1);
    assert!(engine.find_session("idle").unwrap().is_none());
}

#[test]
fn a_session_that_lived_long_enough_ends_whatever_it_does() {
    let engine = builder().build().unwrap();
    let session =
        engine.session(Language::JavaScript).name("a").max_duration(Duration::from_millis(200)).open().unwrap();
    let error = session.eval("spin").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.message(), "session `a` has ended: it has lived for 0.2 s, which is the longest that it may");
}

/// Looks for the session that it is asked about.
#[derive(Default)]
struct Seeker {
    engine: OnceLock<WeakEngine>,
    found: Mutex<Option<Error>>,
}

impl Approver for Seeker {
    fn ask(&self, _question: &Question) -> Option<Reply> {
        let engine = self.engine.get()?.upgrade()?;
        *self.found.lock().unwrap() = engine.find_session("a").err();
        None
    }
}

#[test]
fn whoever_looks_for_a_session_that_is_opened_for_them_is_told_so() {
    let seeker = Arc::new(Seeker::default());
    let asked: Arc<dyn Approver> = Arc::clone(&seeker) as _;
    let engine = builder().trust(Trust::Decided).approver(asked).build().unwrap();
    seeker.engine.set(engine.downgrade()).ok().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.js"), "x").unwrap();
    let file = folder.path().join("a.json");
    let definition = json!({"name": "a", "description": "A.", "type": "code_session", "command": "node"});
    std::fs::write(&file, definition.to_string()).unwrap();
    let skill = engine.skill(&file.display().to_string()).unwrap();
    engine.skill_session(&skill).name("a").open().unwrap_err();
    let error = seeker.found.lock().unwrap().take().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    assert_eq!(error.message(), "session `a` is being opened, and that waits for this");
}

#[test]
fn a_session_may_not_wait_for_itself() {
    let engine = builder().build().unwrap();
    let weak = engine.downgrade();
    let get = move |name: &str| {
        let session = weak.upgrade().and_then(|engine| engine.find_session(name).ok()?).ok_or("no such session")?;
        session.eval("call back").map_err(|error| error.message().to_owned())
    };
    let other = get.clone();
    engine.function("itself", move || other("a")).unwrap();
    let other = get.clone();
    engine.function("b", move || other("b")).unwrap();
    engine.function("back", move || get("a")).unwrap();
    let (a, _b) = (session(&engine, "a"), session(&engine, "b"));
    for code in ["call itself", "call b"] {
        let error = a.eval(code).unwrap_err();
        assert!(error.message().contains("session `a` would wait for itself for ever"), "{error}");
    }
}
