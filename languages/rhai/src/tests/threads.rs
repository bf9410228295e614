use super::hosts::{TestHost, run_on, script, session};
use crate::Rhai;
use serde_json::json;
use skills_core::{Host, Interpreter, Limits, Stream};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn several_threads_run_at_once_each_with_its_own_output() {
    let language = Arc::new(Rhai::new());
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let language = Arc::clone(&language);
            std::thread::spawn(move || {
                let host = TestHost::new(Limits::default());
                let seen: Arc<dyn Host> = host.clone();
                let mut session = language.open(&seen).unwrap();
                for _ in 0..20 {
                    let (evaluation, host) = run_on(
                        &mut *session,
                        "fn run(p) { for i in 0..50 { print(p.n); } p.n * 2 }",
                        json!({"n": n}),
                        Limits::default(),
                    );
                    assert_eq!(evaluation.result.unwrap(), json!(n * 2));
                    assert_eq!(host.printed(Stream::Stdout), format!("{n}\n").repeat(50));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_session_that_was_interrupted_runs_again_and_may_be_dropped() {
    for _ in 0..5 {
        let mut session = session();
        let limits = Limits { time: Some(Duration::from_millis(3)), ..Limits::none() };
        assert!(run_on(&mut *session, "loop { }", json!({}), limits).0.result.is_err());
        assert_eq!(run_on(&mut *session, "1", json!({}), Limits::none()).0.result.unwrap(), json!(1));
        let limits = Limits { time: Some(Duration::from_millis(3)), ..Limits::none() };
        assert!(run_on(&mut *session, "loop { }", json!({}), limits).0.result.is_err());
        drop(session);
    }
}

#[test]
fn a_run_ends_on_a_small_stack_too() {
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let deep = || {
        let host = TestHost::new(Limits::default());
        let seen: Arc<dyn Host> = host;
        let mut session = Rhai::new().open(&seen).unwrap();
        let source = "fn f(n) { if n == 0 { 0 } else { 1 + f(n - 1) } } f(800)";
        session.run(&script(source), &json!({}), &seen).result.unwrap()
    };
    assert_eq!(small.spawn(deep).unwrap().join().unwrap(), json!(800));
}
