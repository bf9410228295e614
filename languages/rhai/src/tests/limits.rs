use super::hosts::{run_on, run_with, session};
use crate::Rhai;
use serde_json::json;
use skills_core::{Breach, Enforcement, ErrorKind, Failure, Interpreter, LimitName, Limits};
use std::time::{Duration, Instant};

fn breach(source: &str, limits: Limits) -> Failure {
    let mut session = session();
    let failure = run_on(&mut *session, source, json!({}), limits).0.result.unwrap_err();
    assert!(session.reusable());
    let again = run_on(&mut *session, "let a = [1, 2]; a.len()", json!({}), Limits::default()).0;
    assert_eq!(again.result.unwrap(), json!(2));
    failure
}

fn none() -> Limits {
    Limits::none()
}

#[test]
fn operations_stop_at_the_same_count_every_time() {
    let limits = || Limits { operations: Some(1000), ..none() };
    let source = "let i = 0; while true { i += 1; if i % 5 == 0 { skill.add(i, 1); } }";
    for _ in 0..3 {
        let failure = breach(source, limits());
        assert_eq!(failure.kind, ErrorKind::OperationLimit);
        assert_eq!(failure.limit, Some(Breach { name: LimitName::Operations, limit: 1000, reading: 1001 }));
        assert!(!failure.frames.is_empty());
    }
    let count = |source| run_with(source, json!({}), none()).usage.operations.unwrap();
    let exact = count("let x = 0; for i in 0..100 { x += i; } x");
    assert_eq!(exact, count("let x = 0; for i in 0..100 { x += i; } x"));
    let enough = Limits { operations: Some(exact), ..none() };
    assert!(run_with("let x = 0; for i in 0..100 { x += i; } x", json!({}), enough).result.is_ok());
    let short = Limits { operations: Some(exact - 1), ..none() };
    assert!(run_with("let x = 0; for i in 0..100 { x += i; } x", json!({}), short).result.is_err());
}

#[test]
fn operations_count_through_run_and_the_top_level() {
    let source = "let i = 0; while i < 100 { i += 1; } fn run(p) { let i = 0; while i < 100 { i += 1; } }";
    let whole = run_with(source, json!({}), none()).usage.operations.unwrap();
    let half = run_with("let i = 0; while i < 100 { i += 1; }", json!({}), none()).usage.operations.unwrap();
    assert!(whole > half * 3 / 2);
}

#[test]
fn time_stops_every_kind_of_loop() {
    let sources = [
        "loop { }",
        "while true { }",
        "for i in 0..9223372036854775807 { let x = i; }",
        "do { } while true",
        "fn f() { try { loop { } } catch { f() } } loop { f() }",
        "loop { try { loop { } } catch { } }",
        "[1].map(|x| { loop { } })",
        "sleep(1000)",
        "let a = [1, 2, 3]; a.sort(|a, b| { loop { } })",
    ];
    for source in sources {
        let started = Instant::now();
        let failure = breach(source, Limits { time: Some(Duration::from_millis(30)), ..none() });
        assert_eq!(failure.kind, ErrorKind::Timeout, "{source}: {failure}");
        assert_eq!(failure.limit.unwrap().name, LimitName::Time);
        assert!(started.elapsed() < Duration::from_secs(20), "{source}");
    }
}

#[test]
fn wall_time_counts_host_calls_and_execution_time_does_not() {
    let slow = "skill.deep.slow(150); 1";
    let time = Limits { time: Some(Duration::from_millis(100)), ..none() };
    assert_eq!(run_with(slow, json!({}), time).result.unwrap(), json!(1));
    let failure = breach(slow, Limits { wall: Some(Duration::from_millis(50)), ..none() });
    assert_eq!(failure.limit.unwrap().name, LimitName::Wall);
}

#[test]
fn a_cancelled_run_stops() {
    let host = super::hosts::TestHost::new(none());
    let seen: std::sync::Arc<dyn skills_core::Host> = host.clone();
    let budget = skills_core::Host::budget(&*host).clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        budget.cancel();
    });
    let mut session = session();
    let source = super::hosts::script("loop { try { loop { } } catch { } }");
    let failure = session.run(&source, &json!({}), &seen).result.unwrap_err();
    canceller.join().unwrap();
    assert_eq!(failure.kind, ErrorKind::Cancelled);
}

#[test]
fn output_is_kept_up_to_the_limit_and_the_script_stops() {
    let mut session = session();
    let limits = Limits { output: Some(20), ..none() };
    let (evaluation, host) = run_on(&mut *session, "loop { print(\"12345\"); }", json!({}), limits);
    assert_eq!(evaluation.result.unwrap_err().kind, ErrorKind::OutputLimit);
    assert_eq!(host.printed(skills_core::Stream::Stdout).len(), 18);
    let caught = breach("try { loop { debug(1234567890); } } catch { } 1", Limits { output: Some(20), ..none() });
    assert_eq!(caught.limit.unwrap().name, LimitName::Output);
}

#[test]
fn a_result_is_measured_while_it_is_built() {
    let failure = breach("let a = []; a.pad(1000, 7); a", Limits { result: Some(100), ..none() });
    assert_eq!(failure.kind, ErrorKind::OutputLimit);
    let limit = failure.limit.unwrap();
    assert_eq!((limit.name, limit.limit), (LimitName::Result, 100));
    let fits = run_with("\"12345678\"", json!({}), Limits { result: Some(10), ..none() });
    assert_eq!(fits.result.unwrap(), json!("12345678"));
    assert!(run_with("\"123456789\"", json!({}), Limits { result: Some(10), ..none() }).result.is_err());
}

#[test]
fn recursion_stops_at_the_limit() {
    let source = "fn f(n) { if n == 0 { 0 } else { 1 + f(n - 1) } } ";
    let call = |n: u32| format!("{source} f({n})");
    let failure = breach(&call(100), Limits { recursion: Some(50), ..none() });
    assert_eq!(failure.kind, ErrorKind::RecursionLimit);
    assert_eq!(failure.limit, Some(Breach { name: LimitName::Recursion, limit: 50, reading: 51 }));
    assert_eq!(run_with(&call(45), json!({}), Limits { recursion: Some(50), ..none() }).result.unwrap(), json!(45));
    assert_eq!(run_with(&call(900), json!({}), none()).result.unwrap(), json!(900));
    assert_eq!(breach(&call(1_000_000), none()).kind, ErrorKind::RecursionLimit);
    assert_eq!(
        breach(&call(1_000_000), Limits { recursion: Some(u64::MAX), ..none() }).kind,
        ErrorKind::RecursionLimit
    );
    assert_eq!(breach("fn f() { try { f() } catch { f() } } f()", none()).kind, ErrorKind::RecursionLimit);
}

#[test]
fn the_deepest_recursion_fits_with_the_largest_frames() {
    let nested = |depth| {
        let inner = String::from("f(n + 1)");
        let body = (0..depth).fold(inner, |body, _| format!("(1 + {{ if true {{ {body} }} else {{ 0 }} }})"));
        breach(&format!("fn f(n) {{ {body} }} f(0)"), Limits { recursion: Some(u64::MAX), ..none() })
    };
    // The deepest nesting that parses makes the largest frames.
    let deepest = (1..20).rev().map(nested).find(|failure| failure.kind != ErrorKind::ScriptError).unwrap();
    assert_eq!(deepest.kind, ErrorKind::RecursionLimit, "{deepest}");
}

#[test]
fn host_calls_are_counted_and_not_caught() {
    let source = "while true { try { skill.echo(1); } catch { } }";
    let failure = breach(source, Limits { host_calls: Some(7), ..none() });
    assert_eq!(failure.kind, ErrorKind::HostCallLimit);
    assert_eq!(failure.limit, Some(Breach { name: LimitName::HostCalls, limit: 7, reading: 8 }));
    assert!(!failure.frames.is_empty());
}

#[test]
fn a_script_keeps_to_its_share_of_a_processor() {
    let limits = || Limits { cpu_percent: Some(10), ..none() };
    let wall = Some(Duration::from_millis(400));
    let evaluation = run_with("loop { }", json!({}), Limits { wall, ..limits() });
    assert_eq!(evaluation.result.unwrap_err().kind, ErrorKind::Timeout);
    assert!(evaluation.usage.cpu.unwrap() < Duration::from_millis(240), "{:?}", evaluation.usage);
    // The count stays exact, and a script that ends early is served as ever.
    let failure = breach("loop { }", Limits { operations: Some(12_345), ..limits() });
    assert_eq!(failure.limit, Some(Breach { name: LimitName::Operations, limit: 12_345, reading: 12_346 }));
    assert_eq!(run_with("1 + 1", json!({}), limits()).result.unwrap(), json!(2));
}

#[test]
fn the_self_test_finds_every_limit_armed() {
    let caps = Rhai::new().self_test().unwrap();
    assert_eq!(caps.len(), 9);
    for cap in &caps {
        assert_eq!(cap.status, Enforcement::Enforced, "{cap:?}");
    }
    assert_eq!(caps, Rhai::new().caps());
}
