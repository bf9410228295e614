use super::support::*;
use crate::JavaScript;
use serde_json::{Value, json};
use skills_core::value::{ELEMENT_COST, MEMBER_COST};
use skills_core::{Enforcement, ErrorKind, Failure, Host, Interpreter, Language, LimitName, Limits};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs a script under limits and checks that the session's thread can serve another run afterwards.
pub(super) fn under(limits: Limits, source: &str) -> Result<Value, Failure> {
    let mut session = open();
    let started = Instant::now();
    let (evaluation, _) = run_in(&mut *session, Language::JavaScript, source, json!({}), limits);
    assert!(started.elapsed() < Duration::from_secs(20), "{source} took {:?}", started.elapsed());
    if !session.reusable() {
        drop(session);
        session = open();
    }
    assert_eq!(
        run_in(&mut *session, Language::JavaScript, "1 + 1", json!({}), Limits::default()).0.result.unwrap(),
        json!(2)
    );
    evaluation.result
}

fn time(ms: u64) -> Limits {
    Limits { time: Some(Duration::from_millis(ms)), ..Limits::default() }
}

#[test]
fn time_ends_whatever_runs() {
    for source in [
        "for (;;);",
        "try { for (;;); } finally { for (;;); }",
        "for (;;) { try { for (;;); } catch {} }",
        "const f = () => Promise.resolve().then(f); await f()",
        "const f = () => { Promise.resolve().then(f) }; f(); 1",
        "async function f() { for (;;) await 1 }\nawait f()",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "await new Promise((done) => setTimeout(done, 60000))",
        "setInterval(() => {}, 0); await new Promise(() => {})",
        "export default { get a() { for (;;); } }",
        "const p = new Proxy({}, { ownKeys() { for (;;); } }); p",
        "console.log({ get a() { return 1 }, [Symbol.toStringTag]: { toString() { for (;;); } } }); for (;;);",
        "new Array(5e6).fill(0).sort(() => { for (;;); })",
    ] {
        let failure = under(time(60), source).expect_err(source);
        assert_eq!(failure.kind, ErrorKind::Timeout, "{source}: {failure:?}");
        let breach = failure.limit.unwrap();
        assert_eq!((breach.name, breach.limit), (LimitName::Time, 60));
        assert!(breach.reading >= 60);
    }
}

#[test]
fn a_limit_shows_where_the_script_was() {
    let places = |limits: Limits, source: &str| -> Vec<(u32, Option<String>)> {
        let failure = under(limits, source).expect_err(source);
        failure.frames.into_iter().map(|frame| (frame.line, frame.function)).collect()
    };
    // The engine knows the places of calls, of errors, and of what reads a member; where a function has none of these yet, the
    // place is where it begins.
    let ends = |limits: Limits, source: &str| {
        let places = places(limits, source);
        let function = places.first().and_then(|place| place.1.clone());
        (function, places.last().map(|place| place.0))
    };
    let f = || Some("f".to_owned());
    for (source, function, line) in [
        ("for (;;);", None, Some(1)),
        ("const a = [];\nfor (;;) a.at(0);", None, Some(2)),
        ("const a = 1;\n\nwhile (a);", None, Some(3)),
        ("function f() {\n  while (true);\n}\n\nf()", f(), Some(5)),
        ("const f = (s) =>\n  /^(a+)+$/.test(s);\nf('a'.repeat(40) + 'b')", f(), Some(3)),
        ("function f() {\n  for (;;) Math.max(1);\n}\nsetTimeout(f, 1); await new Promise(() => {})", f(), Some(2)),
    ] {
        assert_eq!(ends(time(60), source), (function, line), "{source}");
    }
    // A step back to where a loop begins has no place: it is that of the function's only loop.
    for (source, line) in [
        ("function f() {\n  while (true);\n}\n\nf()", 2),
        ("const f = () => {\n  let n = 0;\n  do n++; while (n);\n};\nf()", 3),
        ("class C {\n  f() {\n    for (;;);\n  }\n}\nnew C().f()", 3),
        ("const o = {\n  f() {\n    for (;;);\n  }\n};\no.f()", 3),
    ] {
        assert_eq!(places(time(60), source)[0], (line, f()), "{source}");
    }
    let awaited = "async function f() {\n  await 1;\n  for (;;) Math.max(1);\n}\nawait f()";
    assert_eq!(ends(time(60), awaited).0, f());
    let memory = || Limits { memory: Some(16 << 20), ..Limits::default() };
    // Where the engine has no room left for an error, it throws one without a place.
    for (source, function, line) in [
        ("const a = [];\nfor (;;) a.push(new ArrayBuffer(1 << 20))", None, Some(2)),
        ("function f(a) {\n  for (;;) a.push('0123456789'.repeat(100000) + a.length);\n}\nf([])", f(), Some(4)),
    ] {
        assert_eq!(ends(memory(), source), (function, line), "{source}");
    }
}

#[test]
fn time_stands_still_in_host_calls() {
    assert_eq!(under(time(25), "skill.deep.slow()").unwrap(), json!("slept"));
}

#[test]
fn a_run_can_be_cancelled() {
    let mut session = open();
    let host = TestHost::new(Limits::none());
    let dynamic: Arc<dyn Host> = host.clone();
    let budget = Arc::clone(host.budget());
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        budget.cancel();
    });
    let evaluation = session.run(&script(Language::JavaScript, "for (;;);"), &json!({}), &dynamic);
    canceller.join().unwrap();
    assert_eq!(evaluation.result.unwrap_err().kind, ErrorKind::Cancelled);
    assert!(!session.reusable());
}

#[test]
fn memory_is_bounded() {
    let limits = Limits { memory: Some(16 << 20), ..Limits::default() };
    for source in [
        "const a = []; for (;;) a.push(new Array(1000).fill(1))",
        "const a = []; for (;;) a.push(new ArrayBuffer(1 << 20))",
        "const a = []; for (;;) { try { a.push(new ArrayBuffer(1 << 20)) } catch {} }",
        "const a = []; for (;;) a.push(new Uint8Array(1 << 20))",
        "const a = []; for (;;) { try { a.push({}) } catch {} }",
        "let s = 'x'; for (;;) s += s + 'y'",
        "'x'.repeat(2 ** 29).length",
        "'x'.padEnd(2 ** 29).length",
        "JSON.parse('[' + '{},'.repeat(4e6) + '1]')",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, i)",
        "let a = [1]; for (;;) a = a.concat(a)",
        "const f = async () => { await null; return f() }; const all = []; for (;;) all.push(f())",
        "const b = new ArrayBuffer(1, { maxByteLength: 2 ** 40 }); b.resize(2 ** 30)",
        "[...Array(1e7).keys()].map(String).join('')",
    ] {
        let failure = under(limits.clone(), source).expect_err(source);
        let named = failure.kind == ErrorKind::MemoryLimit && failure.limit.unwrap().name == LimitName::Memory;
        // A length that the engine never allows is refused before any memory is.
        assert!(
            named || failure.message.starts_with("RangeError") || failure.message == "InternalError: string too long",
            "{source}: {failure:?}"
        );
    }
}

#[test]
fn operations_are_counted_exactly() {
    let limits = |operations| Limits { operations: Some(operations), ..Limits::default() };
    // Ten passes, and one call in each.
    let source = "const f = () => 1;\nlet n = 0;\nfor (let i = 0; i < 10; i++) n += f();\nn";
    let mut session = open();
    let (evaluation, _) = run_in(&mut *session, Language::JavaScript, source, json!({}), limits(20));
    assert_eq!(evaluation.result.unwrap(), json!(10));
    assert_eq!(evaluation.usage.operations, Some(20));
    let failure = under(limits(19), source).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::OperationLimit);
    assert_eq!(failure.limit.unwrap().reading, 20);
    assert_eq!(js(source).usage.operations, None);
    for source in [
        "for (;;);",
        "while (true) {}",
        "do ; while (1)",
        "for (const x of (function* () { for (;;) yield 1 })()) ;",
        "function f() { try { f() } catch { } for (;;) f() }\nf()",
        "class A { get x() { return this.x } }\ntry { new A().x } catch {}\nfor (;;) try { new A().x } catch {}",
        "async function f() { await null; return f() }\nawait f()",
        "for (;;) [1].forEach(() => {})",
        "for (;;) { try { eval('for(;;);') } catch {} }",
        "const F = (() => {}).constructor; for (;;) { try { F('for(;;);')() } catch {} }",
        "label: for (;;) for (;;) continue label",
        "const o = { toString() { for (;;); } }; `${o}`",
    ] {
        let failure = under(limits(1000), source).expect_err(source);
        assert_eq!(failure.kind, ErrorKind::OperationLimit, "{source}: {failure:?}");
        assert_eq!(failure.limit.unwrap().reading, 1001, "{source}");
    }
}

#[test]
fn nested_calls_are_bounded() {
    let limits = Limits { recursion: Some(50), ..Limits::default() };
    assert_eq!(under(limits.clone(), "const f = (n) => n ? f(n - 1) + 1 : 0;\nf(49)").unwrap(), json!(49));
    let failure = under(limits.clone(), "const f = (n) => n ? f(n - 1) + 1 : 0;\nf(50)").unwrap_err();
    assert_eq!(failure.kind, ErrorKind::RecursionLimit);
    assert_eq!(failure.limit.unwrap().limit, 50);
    assert_eq!(
        under(limits, "function f(n) { 'use strict'\nif (n) f(n - 1) }\nfor (let i = 0; i < 100; i++) f(40)\n'ok'")
            .unwrap(),
        json!("ok")
    );
}

#[test]
fn endless_recursion_is_a_failure_and_no_crash() {
    for source in [
        "function f() { f() }\nf()",
        "const o = { get a() { return this.a } }; o.a",
        "const f = (n) => [n].map(f); f(1)",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a)",
        "const p = new Proxy({}, { get(t, k, r) { return r[k] } }); p.x",
        "class A { toString() { return `${this}` } }\n`${new A()}`",
        "const r = () => 'a'.replace(/a/, r); r()",
    ] {
        let failure = under(Limits::default(), source).expect_err(source);
        assert_eq!(failure.kind, ErrorKind::RecursionLimit, "{source}: {failure:?}");
        let breach = failure.limit.expect(source);
        assert_eq!((breach.name, breach.reading), (LimitName::Recursion, breach.limit + 1), "{source}");
        assert!(breach.limit > 500, "{source}: {breach:?}");
        assert_eq!(failure.message, format!("recursion limit of {} nested calls reached", breach.limit), "{source}");
        assert!(failure.help.unwrap().contains("a recursion that does not end"));
    }
    let source = "let n = 0; function f() { n++; f() }\ntry { f() } catch (e) { [e.name, n > 500] }";
    assert_eq!(under(Limits::default(), source).unwrap(), json!(["RangeError", true]));
}

#[test]
fn a_small_thread_is_enough() {
    let thread = std::thread::Builder::new().stack_size(600 << 10).spawn(|| {
        assert_eq!(failure("function f() { f() }\nf()").kind, ErrorKind::RecursionLimit);
        assert!(failure(&format!("{}1{}", "(".repeat(20000), ")".repeat(20000))).message.len() < 500);
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn output_and_result_are_bounded() {
    let failure = under(
        Limits { output: Some(100), ..Limits::default() },
        "for (;;) { try { console.log('0123456789') } catch {} }",
    )
    .unwrap_err();
    assert_eq!(failure.limit.unwrap().name, LimitName::Output);
    for source in [
        "'x'.repeat(200)",
        "new Array(100).fill('é')",
        "const o = {}; for (let i = 0; i < 100; i++) o['k' + i] = 1; o",
        "new Uint8Array(100)",
    ] {
        let failure = under(Limits { result: Some(100), ..Limits::default() }, source).expect_err(source);
        assert_eq!(
            (failure.kind, failure.limit.unwrap().name),
            (ErrorKind::OutputLimit, LimitName::Result),
            "{source}"
        );
        assert!(failure.limit.unwrap().reading > 100);
    }
    // Its text, and what holding it takes.
    let holds = |result: usize| Limits { result: Some(result as u64), ..Limits::default() };
    assert_eq!(under(holds(5 + 2 * ELEMENT_COST), "[1,2]").unwrap(), json!([1, 2]));
    assert!(under(holds(4 + 2 * ELEMENT_COST), "[1,2]").is_err());
    assert_eq!(under(holds(7 + MEMBER_COST), "({a: 1})").unwrap(), json!({"a": 1}));
    assert!(under(holds(6 + MEMBER_COST), "({a: 1})").is_err());
}

#[test]
fn host_calls_are_bounded() {
    let limits = Limits { host_calls: Some(3), ..Limits::default() };
    let failure = under(limits, "for (;;) { try { skill.echo(1) } catch {} }").unwrap_err();
    assert_eq!(failure.kind, ErrorKind::HostCallLimit);
    assert_eq!(failure.limit.unwrap().reading, 4);
}

#[test]
fn a_script_keeps_to_its_share_of_a_processor() {
    let limits = || Limits { cpu_percent: Some(10), ..Limits::none() };
    for source in ["for (;;);", "const f = () => Promise.resolve().then(f); await f()"] {
        let mut session = open();
        let limits = Limits { wall: Some(Duration::from_millis(400)), ..limits() };
        let evaluation = run_in(&mut *session, Language::JavaScript, source, json!({}), limits).0;
        assert_eq!(evaluation.result.unwrap_err().kind, ErrorKind::Timeout);
        assert!(evaluation.usage.cpu.unwrap() < Duration::from_millis(240), "{source}: {:?}", evaluation.usage);
    }
    assert_eq!(under(limits(), "1 + 1").unwrap(), json!(2));
}

#[test]
fn the_self_test_finds_every_limit_armed() {
    let caps = JavaScript::new().self_test().unwrap();
    assert_eq!(caps.len(), 9);
    assert!(caps.iter().all(|cap| cap.status != Enforcement::Unavailable), "{caps:#?}");
    assert_eq!(caps, JavaScript::new().caps());
}

#[test]
fn usage_is_measured() {
    let usage = js("const a = []; for (let i = 0; i < 300000; i++) a.push({ i });\na.length").usage;
    assert!(usage.cpu.unwrap() > Duration::from_millis(1));
    assert!(usage.peak_memory.unwrap() > 5 << 20, "{usage:?}");
}
