//! Sessions with a living namespace in a worker.

use crate::forks::me;
use crate::host::TestHost;
use crate::leaks::eventually;
use crate::test;
use crate::toy::Toy;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use skills_core::{
    Access, Budget, Cell, Entry, ErrorKind, Evaluated, Failure, Grants, Host, Language, LimitName, Limits, Script,
    Session, Stream,
};
use skills_sandbox::remote::Remote;
use skills_sandbox::{PoolSettings, Workers, Zygotes};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_namespace_lives", a_namespace_lives),
        test("what_is_told_of_a_namespace_arrives", what_is_told_of_a_namespace_arrives),
        test("a_snapshot_travels_in_parts", a_snapshot_travels_in_parts),
        test("a_cancelled_evaluation_leaves_the_session", a_cancelled_evaluation_leaves_the_session),
        test("time_that_is_up_leaves_the_session", time_that_is_up_leaves_the_session),
        test("who_does_not_stop_is_ended", who_does_not_stop_is_ended),
        test("a_session_says_how_it_ended", a_session_says_how_it_ended),
        test("memory_counts_over_all_evaluations", memory_counts_over_all_evaluations),
        test("a_liar_is_ended", a_liar_is_ended),
        test("what_is_left_running_disturbs_nobody", what_is_left_running_disturbs_nobody),
        test("an_idle_session_takes_no_turn", an_idle_session_takes_no_turn),
        test("nothing_goes_on_between_requests", nothing_goes_on_between_requests),
        test("programs_of_a_session_rest_with_it", programs_of_a_session_rest_with_it),
        test("a_session_that_was_stopped_is_copied", a_session_that_was_stopped_is_copied),
        test("a_session_takes_a_worker_that_is_ready", a_session_takes_a_worker_that_is_ready),
        test("what_a_session_holds_is_known", what_a_session_holds_is_known),
    ]
}

pub(crate) fn workers(most: usize) -> Arc<Workers> {
    let zygotes = Arc::new(Zygotes::new(me(), Vec::new()));
    Arc::new(Workers::new(zygotes, PoolSettings { ready: 0, most, queue: 0, idle: Duration::from_secs(1) }))
}

pub(crate) fn host(limits: Limits) -> Arc<dyn Host> {
    TestHost::new(limits)
}

pub(crate) fn some_limits() -> Limits {
    Limits { memory: Some(64 << 20), wall: Some(Duration::from_secs(20)), ..Limits::none() }
}

pub(crate) fn open(limits: &Limits) -> Box<dyn Session> {
    Remote::new(workers(4), Arc::new(Toy)).open_living(&host(limits.clone())).unwrap()
}

pub(crate) fn cell(source: &str) -> Cell {
    let script = Script { language: Language::Rhai, file: "<cell 1>".into(), source: source.into() };
    Cell { script: Arc::new(script), entry: Entry::Cell }
}

pub(crate) fn eval(session: &mut dyn Session, source: &str) -> Result<Value, Failure> {
    session.eval(&cell(source), &host(some_limits())).evaluation.result
}

fn a_namespace_lives() {
    let mut session = open(&some_limits());
    assert_eq!(eval(&mut *session, "set x {\"a\":[1,-1,0.1]}"), Ok(Value::Null));
    assert_eq!(eval(&mut *session, "raise").unwrap_err().message, "Oops: as told");
    let host = TestHost::new(some_limits());
    let as_host: Arc<dyn Host> = Arc::clone(&host) as Arc<dyn Host>;
    let Evaluated { evaluation, shown } = session.eval(&cell("get x"), &as_host);
    assert_eq!(evaluation.result, Ok(json!({"a": [1, -1, 0.1]})));
    assert_eq!(shown.unwrap().text, "{\"a\":[1,-1,0.1]}");
    assert_eq!(session.eval(&cell("print tea"), &as_host).shown, None);
    assert_eq!(session.eval(&cell("call milk"), &as_host).evaluation.result, Ok(json!("milk")));
    assert_eq!(host.text(Stream::Stdout), "tea");
    assert!(session.reusable());
}

fn what_is_told_of_a_namespace_arrives() {
    let limits = Limits { memory: Some(1 << 30), ..some_limits() };
    let mut session = open(&limits);
    let host = host(limits);
    session.set("a", &json!([1]), &host).unwrap();
    session.set("b", &json!(2), &host).unwrap();
    let variables = session.variables(&host).unwrap();
    let names: Vec<_> = variables.iter().map(|variable| (variable.name.as_str(), variable.shown.as_str())).collect();
    assert_eq!(names, [("a", "[1]"), ("b", "2")]);
    assert_eq!(session.get("b", &host), Ok(json!(2)));
    assert_eq!(session.get("c", &host).unwrap_err().kind, ErrorKind::NotFound);
    let completions = session.complete("x", 1, &host).unwrap();
    assert_eq!((completions.from, completions.items.len()), (1, 2));
    assert_eq!(session.inspect("a", &host).unwrap().doc.unwrap(), "about a");
    // More than a host takes is cut, and not held against the session.
    session.set("many", &json!(30_000), &host).unwrap();
    let count = session.variables(&host).unwrap().len();
    assert!((1000..30_000).contains(&count), "{count}");
}

fn a_snapshot_travels_in_parts() {
    let limits = Limits { memory: Some(1 << 30), ..some_limits() };
    let mut session = open(&limits);
    let host = host(limits.clone());
    session.set("x", &json!("y".repeat(100)), &host).unwrap();
    session.set("padding", &json!(5), &host).unwrap();
    let snapshot = session.snapshot(&host).unwrap();
    assert!(snapshot.bytes.len() > 5 << 20);
    assert_eq!(snapshot.lost[0].name, "toys");
    let mut other = open(&limits);
    assert_eq!(other.restore(&snapshot, &host).unwrap(), snapshot.lost);
    assert_eq!(other.get("x", &host), session.get("x", &host));
    // One that is too large stays where it is, and the session goes on.
    session.set("padding", &json!(257), &host).unwrap();
    let failure = session.snapshot(&host).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::OutputLimit, "{failure}");
    assert_eq!(session.get("padding", &host), Ok(json!(257)));
}

/// Cancels a budget as soon as its session has begun.
fn cancel_soon(budget: &Arc<Budget>) {
    let budget = Arc::clone(budget);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        budget.cancel();
    });
}

fn a_cancelled_evaluation_leaves_the_session() {
    let mut session = open(&some_limits());
    eval(&mut *session, "set x 1").unwrap();
    for _ in 0..3 {
        let host = host(some_limits());
        cancel_soon(host.budget());
        let failure = session.eval(&cell("spin"), &host).evaluation.result.unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Cancelled);
    }
    session.set("spin", &json!(true), &host(some_limits())).unwrap();
    let host = host(some_limits());
    cancel_soon(host.budget());
    assert_eq!(session.snapshot(&host).unwrap_err().kind, ErrorKind::Cancelled, "whatever it is asked");
    assert_eq!(session.eval(&cell("get x"), &host).evaluation.result.unwrap_err().kind, ErrorKind::Cancelled);
    assert_eq!(eval(&mut *session, "get x"), Ok(json!(1)));
}

fn time_that_is_up_leaves_the_session() {
    let mut session = open(&some_limits());
    eval(&mut *session, "set x 1").unwrap();
    for limits in [
        Limits { time: Some(Duration::from_millis(30)), ..some_limits() },
        Limits { wall: Some(Duration::from_millis(30)), ..some_limits() },
    ] {
        let failure = session.eval(&cell("spin"), &host(limits)).evaluation.result.unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Timeout);
    }
    // What only the host counts stops it as well.
    let limits = Limits { output: Some(3), ..some_limits() };
    let failure = session.eval(&cell("print more than that"), &host(limits)).evaluation.result.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::OutputLimit);
    assert_eq!(eval(&mut *session, "get x"), Ok(json!(1)));
}

fn who_does_not_stop_is_ended() {
    for cancelled in [true, false] {
        let mut session = open(&some_limits());
        let limits = Limits { time: Some(Duration::from_millis(30)), ..some_limits() };
        let host = host(if cancelled { some_limits() } else { limits });
        if cancelled {
            cancel_soon(host.budget());
        }
        let kind = if cancelled { ErrorKind::Cancelled } else { ErrorKind::Timeout };
        assert_eq!(session.eval(&cell("deaf"), &host).evaluation.result.unwrap_err().kind, kind);
        let failure = eval(&mut *session, "get x").unwrap_err();
        assert_eq!(failure.kind, kind);
        assert!(failure.message.starts_with("the session ended: "), "{failure}");
        assert!(!session.reusable());
    }
}

fn a_session_says_how_it_ended() {
    let mut session = open(&some_limits());
    let failure = eval(&mut *session, "exit 7").unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Crashed);
    for _ in 0..2 {
        let failure = session.variables(&host(some_limits())).unwrap_err();
        assert_eq!(failure.message, "the session ended: the worker ended without an answer, with exit code 7");
        assert!(failure.help.unwrap().contains("open a new session"));
    }
    let mut session = open(&some_limits());
    eval(&mut *session, "doubt").unwrap();
    let failure = eval(&mut *session, "get x").unwrap_err();
    assert_eq!(failure.message, "the session ended: the interpreter is in doubt after what it ran");
}

fn memory_counts_over_all_evaluations() {
    let mut session = open(&some_limits());
    for _ in 0..2 {
        let evaluation = session.eval(&cell("hold 20"), &host(some_limits())).evaluation;
        assert_eq!(evaluation.result, Ok(json!(20 << 20)));
        assert!(evaluation.usage.peak_memory.unwrap() >= 20 << 20);
    }
    let peak = session.eval(&cell("get x"), &host(some_limits())).evaluation.usage.peak_memory.unwrap();
    assert!((40 << 20..60 << 20).contains(&peak), "{peak}");
    // The toy's own memory has no cap, so that the worker dies of it, sooner or later.
    let failure = (0..3).find_map(|_| eval(&mut *session, "hold 20").err()).unwrap();
    assert_eq!(failure.limit.map(|breach| breach.name), Some(LimitName::Memory), "{failure}");
    let failure = eval(&mut *session, "get x").unwrap_err();
    assert_eq!((failure.kind, failure.message.starts_with("the session ended: ")), (ErrorKind::MemoryLimit, true));
}

fn a_liar_is_ended() {
    for lie in ["kind", "run", "answer", "part", "length", "bytes"] {
        let mut session = open(&some_limits());
        let failure = eval(&mut *session, &format!("lie {lie}")).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Crashed, "{lie}: {failure}");
        assert!(failure.message.starts_with("the worker sent something that is no answer"), "{lie}: {failure}");
        assert!(!session.reusable());
    }
    for lie in ["length", "parts", "kind"] {
        let mut session = open(&some_limits());
        session.set("lie", &json!(lie), &host(some_limits())).unwrap();
        let failure = session.snapshot(&host(some_limits())).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Crashed, "{lie}: {failure}");
    }
    // What comes twice is found when the session is asked again.
    let mut session = open(&some_limits());
    eval(&mut *session, "lie twice").unwrap();
    assert_eq!(eval(&mut *session, "get x").unwrap_err().kind, ErrorKind::Crashed);
    let mut session = open(&some_limits());
    let failure = session.complete("é", 2, &host(some_limits())).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Crashed, "a place inside a character");
}

fn what_is_left_running_disturbs_nobody() {
    let mut session = open(&some_limits());
    for number in 0..20 {
        eval(&mut *session, "later x").unwrap();
        eval(&mut *session, &format!("set x {number}")).unwrap();
        assert_eq!(eval(&mut *session, "get x"), Ok(json!(number)));
        assert_eq!(eval(&mut *session, "call milk"), Ok(json!("milk")));
    }
}

fn an_idle_session_takes_no_turn() {
    let workers = workers(1);
    let remote = Remote::new(Arc::clone(&workers), Arc::new(Toy));
    let mut first = remote.open_living(&host(some_limits())).unwrap();
    let mut second = remote.open_living(&host(some_limits())).unwrap();
    eval(&mut *first, "set x 1").unwrap();
    eval(&mut *second, "set x 2").unwrap();
    assert_eq!(workers.figures().busy, 0);
    let run = remote.open_for(&host(some_limits()), false).unwrap();
    assert_eq!(workers.figures().busy, 1);
    // Whoever has the only turn may be waiting for a session.
    assert_eq!(eval(&mut *first, "get x"), Ok(json!(1)));
    drop(run);
    assert_eq!(eval(&mut *second, "get x"), Ok(json!(2)));
}

fn what_a_session_holds_is_known() {
    let mut session = open(&some_limits());
    eval(&mut *session, "set x 1").unwrap();
    let before = session.held();
    eval(&mut *session, "hold 20").unwrap();
    let after = session.held();
    assert!(after.memory.unwrap() >= before.memory.unwrap() + (20 << 20), "{before:?} {after:?}");
    assert!(after.cpu > before.cpu);
    eval(&mut *session, "exit 0").unwrap_err();
    assert_eq!(session.held(), skills_core::Held::default());
}

/// Waits until a session uses the processor no more.
fn rested(session: &dyn Session) {
    eventually("it goes on", || {
        let before = session.held().cpu.unwrap();
        std::thread::sleep(Duration::from_millis(50));
        session.held().cpu.unwrap() == before
    });
}

fn nothing_goes_on_between_requests() {
    let mut session = open(&some_limits());
    eval(&mut *session, "count").unwrap();
    for _ in 0..2 {
        rested(&*session);
        let before = eval(&mut *session, "counted").unwrap().as_u64().unwrap();
        eval(&mut *session, "nap").unwrap();
        let after = eval(&mut *session, "counted").unwrap().as_u64().unwrap();
        assert!(after > before, "it goes on while something is asked for");
    }
    rested(&*session);
    // One that is stopped ends as any other.
    drop(session);
}

fn programs_of_a_session_rest_with_it() {
    let grants = Grants { programs: Access::Everything, ..Grants::default() };
    let host: Arc<dyn Host> = TestHost::granted(some_limits(), grants);
    let mut session = Remote::new(workers(4), Arc::new(Toy)).open_living(&host).unwrap();
    let mark = format!("mark-of-{}", std::process::id());
    let sprout = cell(&format!("sprout (while :; do :; done) # {mark}\nwhile :; do :; done"));
    assert_eq!(session.eval(&sprout, &host).evaluation.result, Ok(json!(true)));
    let used = || marked(&mark);
    eventually("they are not there", || used().len() == 2);
    eventually("they go on", || {
        let before = used();
        std::thread::sleep(Duration::from_millis(100));
        used() == before
    });
    let before = used();
    session.eval(&cell("nap"), &host);
    eventually("they do not go on while something is asked for", || {
        session.eval(&cell("nap"), &host);
        used() != before
    });
    drop(session);
    eventually("they outlive it", || used().is_empty());
}

/// The processor time of each process whose command line has a mark, with its number.
fn marked(mark: &str) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse::<u32>().ok().filter(|id| *id != std::process::id())?;
        let command = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let times = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11).take(2).collect::<Vec<_>>().join(" ");
        command.contains(mark).then_some((id, times))
    });
    let mut processes: Vec<_> = processes.collect();
    processes.sort();
    processes
}

fn a_session_that_was_stopped_is_copied() {
    let mut session = open(&some_limits());
    eval(&mut *session, "set x 1").unwrap();
    std::thread::sleep(Duration::from_millis(120));
    let mut copy = session.fork(&host(some_limits())).unwrap().unwrap()().unwrap();
    std::thread::sleep(Duration::from_millis(120));
    assert_eq!(eval(&mut *copy, "get x"), Ok(json!(1)));
    assert_eq!(eval(&mut *session, "get x"), Ok(json!(1)));
}

fn a_session_takes_a_worker_that_is_ready() {
    let zygotes = Arc::new(Zygotes::new(me(), Vec::new()));
    let settings = PoolSettings { ready: 1, most: 4, queue: 0, idle: Duration::from_secs(20) };
    let workers = Arc::new(Workers::new(zygotes, settings));
    let remote = Remote::new(Arc::clone(&workers), Arc::new(Toy));
    let host = host(some_limits());
    let _first = remote.open_living(&host).unwrap();
    // The first one lives on, and its place is filled nevertheless.
    eventually("none is ready", || workers.figures().ready == 1);
    let mut second = remote.open_living(&host).unwrap();
    eval(&mut *second, "set x 1").unwrap();
    assert!(second.fork(&host).unwrap().is_some(), "it is one that can be copied");
    let figures = workers.figures();
    assert_eq!((figures.forked, figures.warm), (1, 1));
    // Another cage is another matter.
    let tighter = Limits { memory: Some(32 << 20), ..some_limits() };
    let _third = remote.open_living(&self::host(tighter)).unwrap();
    assert_eq!(workers.figures().forked, 2);
}
