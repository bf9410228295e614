use super::host::{TestHost, again, open, run_on, script};
use crate::CPython;
use serde_json::json;
use skills_core::{ErrorKind, Host, Interpreter, Limits};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn runs_on_several_threads_keep_their_own_output_and_values() {
    let threads: Vec<_> = (0..4)
        .map(|n| {
            std::thread::spawn(move || {
                let host = TestHost::new(Limits::default());
                let source = "for i in range(200):\n    print(params['n'])\n    skill.deep.slow(0)\nparams['n']";
                for _ in 0..3 {
                    assert_eq!(run_on(&host, source, json!({"n": n})).result, Ok(json!(n)));
                }
                assert_eq!(host.stdout(), format!("{n}\n").repeat(600));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_limit_stops_its_own_run_only() {
    let slow = std::thread::spawn(|| {
        let host = TestHost::new(Limits::default());
        run_on(&host, "import time\nfor i in range(40): time.sleep(0.005)\n'done'", json!({})).result
    });
    for _ in 0..5 {
        let host = TestHost::new(Limits { time: Some(Duration::from_millis(10)), ..Limits::default() });
        assert_eq!(run_on(&host, "while True: pass", json!({})).result.unwrap_err().kind, ErrorKind::Timeout);
        let host = TestHost::new(Limits { memory: Some(8 << 20), ..Limits::default() });
        assert_eq!(run_on(&host, "'a' * 10**8", json!({})).result.unwrap_err().kind, ErrorKind::MemoryLimit);
    }
    assert_eq!(slow.join().unwrap(), Ok(json!("done")));
}

#[test]
fn two_interpreters_and_sessions_work_side_by_side() {
    let host: Arc<dyn Host> = TestHost::new(Limits::default());
    let (first, second) = (CPython::new(), CPython::new());
    let mut a = first.open(&host).unwrap();
    let mut b = second.open(&host).unwrap();
    assert_eq!(a.run(&script("skill.add(1, 2)"), &json!({}), &host).result, Ok(json!(3.0)));
    assert_eq!(b.run(&script("skill.add(2, 2)"), &json!({}), &host).result, Ok(json!(4.0)));
    drop(a);
    assert_eq!(b.run(&script("skill.add(3, 2)"), &json!({}), &host).result, Ok(json!(5.0)));
}

#[test]
fn a_late_stop_never_hits_the_next_run() {
    let mut session = open();
    for _ in 0..100 {
        // The time runs out about when the script ends.
        let limits = Limits { time: Some(Duration::from_micros(1500)), ..Limits::default() };
        let _ = again(&mut *session, "for i in range(30_000): pass", limits);
        let next = again(&mut *session, "for i in range(1000): pass\n1", Limits::default());
        assert_eq!(next.result, Ok(json!(1)));
    }
}

#[test]
fn a_session_keeps_many_scripts() {
    let mut session = open();
    for round in 0..2 {
        for n in 0..20 {
            let evaluation = again(&mut *session, &format!("{n} + {round}"), Limits::default());
            assert_eq!(evaluation.result, Ok(json!(n + round)));
        }
    }
    assert!(session.reusable());
}

#[test]
fn an_interpreter_can_go_while_a_script_runs() {
    let host = TestHost::new(Limits::none());
    let budget = host.budget.clone();
    let running = std::thread::spawn(move || {
        let interpreter = CPython::new();
        let host: Arc<dyn Host> = host;
        let mut session = interpreter.open(&host).unwrap();
        #[allow(clippy::drop_non_drop, reason = "what is tried is that nothing hangs on it")]
        drop(interpreter);
        session.run(&script("while True: pass"), &json!({}), &host).result.unwrap_err().kind
    });
    std::thread::sleep(Duration::from_millis(50));
    budget.cancel();
    assert_eq!(running.join().unwrap(), ErrorKind::Cancelled);
}
