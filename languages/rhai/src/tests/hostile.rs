//! Scripts that mean harm: each ends with a typed error, within its memory, and the session serves the next run.

use super::hosts::{run_on, session};
use serde_json::json;
use skills_core::{ErrorKind, Limits, Session as _};
use std::time::Duration;

const LIMIT: u64 = 16 << 20;

fn limits() -> Limits {
    Limits { memory: Some(LIMIT), time: Some(Duration::from_secs(60)), ..Limits::none() }
}

/// Runs a script that is to meet the memory limit, and holds its peak against what is promised.
fn exhausts(source: &str) {
    let mut session = session();
    let evaluation = run_on(&mut *session, source, json!({}), limits()).0;
    let peak = evaluation.usage.peak_memory.unwrap();
    let failure = evaluation.result.expect_err(source);
    assert_eq!(failure.kind, ErrorKind::MemoryLimit, "{source}: {failure}");
    assert_eq!(failure.limit.unwrap().limit, LIMIT);
    assert!(failure.limit.unwrap().reading > LIMIT / 2, "{source}: {failure}");
    assert!(peak <= LIMIT + LIMIT / 10 + (8 << 20), "{source}: {peak}");
    let next = run_on(&mut *session, "let s = \"ok\"; s + \"!\"", json!({}), limits()).0;
    assert_eq!(next.result.unwrap(), json!("ok!"));
    assert!(session.reusable());
}

#[test]
fn memory_that_grows_step_by_step() {
    exhausts("let s = \"xxxxxxxx\"; loop { s += s; }");
    exhausts("let s = \"xxxxxxxx\"; loop { s = s + s; }");
    exhausts("let s = \"x\"; loop { s = `${s}${s}`; }");
    exhausts("let a = [1]; loop { a += a; }");
    exhausts("let a = [1]; loop { a = a + a; }");
    exhausts("let a = [1]; loop { a = [a, a]; }");
    exhausts("let a = []; loop { a.push(1); }");
    exhausts("let a = []; loop { a += 1; }");
    exhausts("let m = #{}; let i = 0; loop { m[`${i}`] = i; i += 1; }");
    exhausts("let m = #{}; let i = 0; loop { m.set(i.to_string(), [i]); i += 1; }");
    exhausts("let b = blob(100); loop { b += b; }");
    exhausts("let a = []; loop { a.push(\"a string that is not that short\" + a.len()); }");
    exhausts("fn grow(a) { a.push(a); grow(a) } let a = []; loop { a = [a, a, a]; }");
    exhausts("let f = |x| x; loop { f = f.curry(f); }");
}

#[test]
fn one_operation_that_takes_it_all() {
    exhausts("blob(1000000000)");
    exhausts("blob(9223372036854775807)");
    exhausts("blob(1000000000, 1)");
    exhausts("let a = []; a.pad(1000000000, 0)");
    exhausts("let a = []; a.pad(100000, [1, 2, 3, 4, 5, 6, 7, 8, 9])");
    exhausts("let s = \"\"; s.pad(1000000000, 'x')");
    exhausts("let s = \"\"; s.pad(1000000000, \"xyz\")");
    exhausts("let b = blob(); b.pad(1000000000, 1)");
    exhausts("let s = \"\"; s.pad(1000000, 'x'); s.split(\"x\")");
    exhausts("let s = \"\"; s.pad(1000000, 'x'); s.split('x')");
    exhausts("let s = \"\"; s.pad(1000000, 'x'); s.split(\"\")");
    exhausts("let s = \"\"; s.pad(1000000, 'x'); s.to_chars()");
    exhausts("let s = \"\"; s.pad(1000000, ' '); s.pad(2000000, \"x \"); s.split()");
    exhausts("let s = \"\"; s.pad(100000, 'x'); s.replace(\"x\", s)");
    exhausts("let s = \"\"; s.pad(4000000, 'x'); for c in s.chars() { }");
    exhausts("let s = \"\"; s.pad(100000, 'x'); let a = []; a.pad(10000, s); a.to_string()");
    exhausts("let s = \"\"; s.pad(100000, 'x'); let a = []; a.pad(10000, s); `${a}`");
    exhausts("let s = \"\"; s.pad(100000, 'x'); let a = []; a.pad(10000, s); print(a)");
    exhausts("let s = \"\"; s.pad(100000, 'x'); let a = []; a.pad(10000, s); \"\" + a");
    exhausts("let s = \"\"; s.pad(100000, 'x'); let a = []; a.pad(10000, s); #{a: a}.to_json()");
    exhausts("let s = \"\"; s.pad(100000, 'x'); let a = []; a.pad(10000, s); a");
    exhausts("let s = \"\"; s.pad(100000, 'x'); let a = []; a.pad(10000, s); skill.echo(a)");
    exhausts("let s = \"[\"; s.pad(1000000, \"1,\"); s += \"1]\"; parse_json(s)");
    exhausts("let b = blob(2000000, 1); b.to_array()");
    exhausts("skill.big(5000000)");
}

#[test]
fn many_variables_add_up() {
    let mut source = String::from("let s = \"\"; s.pad(1000000, 'x');\n");
    for n in 0..40 {
        source.push_str(&format!("let v{n} = s + {n};\n"));
    }
    exhausts(&source);
}

#[test]
fn variables_are_counted_too() {
    let mut session = session();
    let source: String = (0..=10_000).map(|n| format!("let v{n} = 0;\n")).collect();
    let failure = run_on(&mut *session, &source, json!({}), limits()).0.result.unwrap_err();
    assert!(failure.message.to_lowercase().contains("too many variables"), "{failure}");
}

#[test]
fn what_the_host_keeps_is_not_the_scripts() {
    let mut session = session();
    let source = "for i in 0..20 { skill.keep(4000000); } let a = []; a.pad(100000, 1); a.len()";
    let evaluation = run_on(&mut *session, source, json!({}), limits()).0;
    assert_eq!(evaluation.result.unwrap(), json!(100_000));
    assert!(evaluation.usage.peak_memory.unwrap() < LIMIT);
}

#[test]
fn memory_that_is_freed_can_be_used_again() {
    let mut session = session();
    let source =
        "for i in 0..200 { let a = []; a.pad(100000, i); } for i in 0..200 { let s = \"\"; s.pad(1000000, 'x'); } 1";
    let evaluation = run_on(&mut *session, source, json!({}), limits()).0;
    assert_eq!(evaluation.result.unwrap(), json!(1));
}

#[test]
fn pushing_stays_linear() {
    let mut session = session();
    let source = "let a = []; for i in 0..200000 { a.push(i); } a.len()";
    let (evaluation, _) = run_on(&mut *session, source, json!({}), Limits::default());
    assert_eq!(evaluation.result.unwrap(), json!(200_000));
    // A walk over the array at each push would take minutes.
    assert!(evaluation.usage.cpu.unwrap() < Duration::from_secs(10));
}

#[test]
fn containers_that_nest_without_end() {
    let deep = [
        "let a = []; loop { a = [take(a)]; }",
        "let h = [[]]; loop { h.push([h.pop()]); }",
        "let h = [[]]; loop { h[0] = [h.remove(0)]; }",
        "let m = #{x: []}; loop { m.x = [m.remove(\"x\")]; }",
        "let h = [[]]; loop { h = [h.shift()]; h = [h]; }",
        "let h = [[]]; loop { h.insert(0, [h.drain(|x| true)]); }",
    ];
    for source in deep {
        let mut session = session();
        let limits = Limits { memory: Some(LIMIT), time: Some(Duration::from_secs(2)), ..Limits::none() };
        let failure = run_on(&mut *session, source, json!({}), limits).0.result.expect_err(source);
        assert_ne!(failure.kind, ErrorKind::Crashed, "{source}");
        assert_eq!(run_on(&mut *session, "1", json!({}), Limits::none()).0.result.unwrap(), json!(1));
    }
}

#[test]
fn containers_that_nest_by_copies() {
    let mut session = session();
    let source = "let a = []; for i in 0..5000 { a = [a]; } print(a); a == a; let b = a; b.len()";
    let limits = Limits { memory: Some(LIMIT), ..Limits::none() };
    let _ = run_on(&mut *session, source, json!({}), limits).0.result;
    assert_eq!(run_on(&mut *session, "1", json!({}), Limits::none()).0.result.unwrap(), json!(1));
}

#[test]
fn containers_that_hold_themselves() {
    let make = "let a = [1]; let f = || a.len(); a.push(a);";
    for end in [
        "a.len()",
        "print(a); 1",
        "a == a",
        "a",
        "a.contains(a)",
        "let b = a; b.len()",
        "`${a}`.len()",
        "skill.echo(a)",
    ] {
        let mut session = session();
        let _ = run_on(&mut *session, &format!("{make} {end}"), json!({}), limits()).0.result;
        assert_eq!(run_on(&mut *session, "1", json!({}), Limits::none()).0.result.unwrap(), json!(1), "{end}");
    }
}

#[test]
fn expressions_and_json_that_nest_too_deep() {
    let mut session = session();
    let bombs = [
        format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("let x = {}1", "-".repeat(100_000)),
        format!("{}1", "1+".repeat(100_000)),
        "if true { ".repeat(50_000),
        "fn f() { ".repeat(1000),
        format!("a{}", ".b".repeat(100_000)),
        format!("a{}", "[0]".repeat(100_000)),
    ];
    for bomb in bombs {
        let failure = run_on(&mut *session, &bomb, json!({}), limits()).0.result.expect_err(&bomb[..20]);
        assert_eq!(failure.kind, ErrorKind::ScriptError, "{}: {failure}", &bomb[..20]);
    }
    let json = "let s = \"\"; s.pad(100000, '['); parse_json(s)";
    let failure = run_on(&mut *session, json, json!({}), limits()).0.result.unwrap_err();
    assert!(failure.message.contains("JSON"), "{failure}");
}

#[test]
fn a_comparison_that_lies_does_no_harm() {
    let mut session = session();
    let source =
        "let a = []; for i in 0..1000 { a.push((i * 7919) % 1000); } a.sort(|x, y| if x % 3 == 0 { 1 } else { -1 }); 1";
    let _ = run_on(&mut *session, source, json!({}), limits());
    let mut next = super::hosts::session();
    assert_eq!(run_on(&mut *next, "1", json!({}), Limits::none()).0.result.unwrap(), json!(1));
}

#[test]
fn without_counting_no_single_value_grows_beyond_the_limit() {
    let sources = [
        "let s = \"\"; s.pad(600000, 'x'); s + s",
        "let s = \"\"; s.pad(600000, 'x'); s += s; s",
        "let a = []; a.pad(40000, 1); a + a",
        "let a = []; a.pad(40000, 1); a += a; a",
        "let a = []; a.pad(40000, 1); a.append(a); a",
        "let a = []; a.pad(65000, 1); for i in 0..1000 { a.push(i); } a",
        "blob(2000000)",
    ];
    for source in sources {
        let limits = Limits { memory: Some(1 << 20), ..Limits::none() };
        let host: std::sync::Arc<dyn skills_core::Host> = super::hosts::TestHost::new(limits);
        let mut session = crate::session::RhaiSession::open_where(&host, false).unwrap();
        let evaluation = session.run(&super::hosts::script(source), &json!({}), &host);
        assert_eq!(evaluation.result.expect_err(source).kind, ErrorKind::MemoryLimit, "{source}");
        // The counts are there in this process and show it: what was refused was never allocated.
        let peak = evaluation.usage.peak_memory.unwrap();
        assert!(peak < 2_200_000, "{source}: {peak}");
    }
}
