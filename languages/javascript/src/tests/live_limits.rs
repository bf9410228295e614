use super::live_support::*;
use super::support::script;
use serde_json::json;
use skills_core::{Cell, Entry, ErrorKind, Host, Language, LimitName, Limits};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_cancelled_cell_leaves_the_session_usable() {
    let mut living = Living::with(Limits::none());
    living.cell("let x = 41");
    for source in [
        "while (true) {}",
        "for (;;) { try { for (;;); } catch {} }",
        "const f = () => Promise.resolve().then(f); await f()",
        "await new Promise((done) => setTimeout(done, 1e6))",
    ] {
        let host = living.host();
        let budget = Arc::clone(host.budget());
        let dynamic: Arc<dyn Host> = host;
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            budget.cancel();
        });
        let cell = Cell { script: script(Language::JavaScript, source), entry: Entry::Cell };
        let failure = living.session.eval(&cell, &dynamic).evaluation.result.unwrap_err();
        canceller.join().unwrap();
        assert_eq!(failure.kind, ErrorKind::Cancelled, "{source}");
        assert!(living.session.reusable());
        assert_eq!(living.value("x += 1; x - 1 >= 41"), json!(true), "{source}");
    }
    assert_eq!(living.value("x"), json!(45));
}

#[test]
fn a_cell_that_runs_out_of_time_leaves_the_session_usable() {
    let mut living = Living::with(Limits { time: Some(Duration::from_millis(60)), ..Limits::default() });
    living.cell("const kept = [1, 2]");
    for source in [
        "for (;;);",
        "const g = () => { Promise.resolve().then(g) }; g(); 1",
        "setInterval(() => { for (;;); }, 0); await new Promise(() => {})",
    ] {
        let failure = living.fails(source);
        assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::Timeout, LimitName::Time), "{source}");
        living.limits = Limits::default();
        living.cell("for (let i = 0; i < 10; i++) clearInterval(i)");
        assert_eq!(living.value("kept"), json!([1, 2]), "{source}");
        living.limits = Limits { time: Some(Duration::from_millis(60)), ..Limits::default() };
    }
}

#[test]
fn endless_recursion_leaves_the_session_usable() {
    let mut living = Living::new();
    living.cell("let n = 0; function down() { n++; down() }");
    let failure = living.fails("down()");
    assert_eq!(failure.kind, ErrorKind::RecursionLimit);
    assert_eq!(failure.frames[0].file, "<cell 1>");
    assert_eq!(living.value("n > 500"), json!(true));
    assert_eq!(living.value("try { down() } catch (e) { e.name }"), json!("RangeError"));
    living.limits = Limits { recursion: Some(50), ..Limits::default() };
    living.cell("const f = (n) => (n ? f(n - 1) + 1 : 0)");
    assert_eq!(living.value("f(40)"), json!(40));
    assert_eq!(living.fails("f(60)").limit.unwrap().limit, 50);
    assert_eq!(living.value("f(40)"), json!(40));
}

#[test]
fn memory_is_that_of_the_session_and_the_cell_together() {
    let mut living = Living::with(Limits { memory: Some(16 << 20), ..Limits::default() });
    living.cell(
        "let keep = []; const fill = (mb) => { for (let i = 0; i < mb; i++) keep.push(new Uint8Array(1 << 20)) }",
    );
    assert_eq!(living.value("fill(6); keep.length"), json!(6));
    assert_eq!(living.value("fill(6); keep.length"), json!(12));
    let failure = living.fails("fill(6)");
    assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::MemoryLimit, LimitName::Memory));
    assert_eq!(living.value("keep.length >= 12"), json!(true));
    // What fills the session can be given back.
    assert_eq!(living.value("keep = []; fill(3); keep.length"), json!(3));
    let failure = living.fails("for (;;) keep.push({ a: [1, 2, 3] })");
    assert_eq!(failure.kind, ErrorKind::MemoryLimit);
    assert_eq!(living.value("keep = null; 'again'"), json!("again"));
    assert!(living.session.held().memory.unwrap() < 8 << 20);
}

#[test]
fn a_full_session_gets_no_further() {
    let mut living = Living::with(Limits { memory: Some(8 << 20), ..Limits::default() });
    living.cell("let keep = []");
    for _ in 0..30 {
        let _ = living.cell("for (;;) keep.push(new Uint8Array(1 << 16))");
    }
    assert!(living.session.held().memory.unwrap() < 14 << 20, "{:?}", living.session.held());
}

#[test]
fn operations_are_counted_for_each_evaluation() {
    let mut living = Living::with(Limits { operations: Some(100), ..Limits::default() });
    living.cell("const loop = (n) => { for (let i = 0; i < n; i++) ; return n }");
    for _ in 0..3 {
        let evaluated = living.cell("loop(80)");
        assert_eq!(
            (evaluated.evaluation.result.unwrap(), evaluated.evaluation.usage.operations),
            (json!(80), Some(81))
        );
    }
    let failure = living.fails("loop(200)");
    assert_eq!((failure.kind, failure.limit.unwrap().reading), (ErrorKind::OperationLimit, 101));
    assert_eq!(living.value("loop(5)"), json!(5));
    assert!(living.fails("eval('1')").message.contains("not allowed"));
    // A function of an earlier cell is under the limit of the one that calls it.
    living.limits = Limits { operations: Some(10), ..Limits::default() };
    assert_eq!(living.fails("loop(20)").limit.unwrap().limit, 10);
    // Nobody reaches the counters: their name is not known before the cell is.
    let source = living.value("loop.toString()");
    let name = source.as_str().unwrap().split("++").nth(1).unwrap().split('.').next().unwrap().to_owned();
    assert!(living.fails(&format!("{name}.most = 1e9; loop(20)")).message.starts_with("ReferenceError"));
}

#[test]
fn errors_point_into_the_cells() {
    let mut living = Living::new();
    living.cell("let a = 1;\n\nconst inner = (x) => {\n  if (x) throw new TypeError(`bad ${x}`);\n}");
    living.cell("class Box {\n  open(x) { inner(x) }\n}\nfunction outer() { new Box().open(7) }");
    let failure = living.fails("const o = { outer };\nlet b = 1; o.outer()");
    let places: Vec<_> = failure
        .frames
        .iter()
        .map(|f| (f.file.as_str(), f.line, f.function.as_deref(), f.source.as_deref().unwrap()))
        .collect();
    assert_eq!(
        places,
        [
            ("<cell 1>", 4, Some("inner"), "  if (x) throw new TypeError(`bad ${x}`);"),
            ("<cell 2>", 2, Some("open"), "  open(x) { inner(x) }"),
            ("<cell 2>", 4, Some("outer"), "function outer() { new Box().open(7) }"),
            ("<cell 3>", 2, None, "let b = 1; o.outer()"),
        ]
    );
    assert_eq!(failure.frames[3].column, 14);
    let syntax = living.fails("let x = 1;\nlet y = ;");
    assert_eq!((syntax.frames[0].file.as_str(), syntax.frames[0].line, syntax.frames[0].column), ("<cell 4>", 2, 9));
    let later = living.fails("await (async () => { await null; inner(2) })()");
    assert_eq!((later.message.as_str(), later.frames[0].file.as_str()), ("TypeError: bad 2", "<cell 1>"));
    let host = living.fails("skill.fail()");
    assert_eq!((host.kind, host.frames[0].file.as_str()), (ErrorKind::PermissionDenied, "<cell 6>"));
}

#[test]
fn output_and_host_calls_are_limited_for_each_cell() {
    let mut living = Living::with(Limits { output: Some(20), host_calls: Some(3), ..Limits::default() });
    for _ in 0..3 {
        assert_eq!(living.value("console.log('0123456789'); skill.echo(1) + skill.add(1, 2)"), json!(4));
    }
    assert_eq!(living.fails("for (;;) console.log('0123456789')").limit.unwrap().name, LimitName::Output);
    assert_eq!(living.fails("for (;;) skill.echo(1)").kind, ErrorKind::HostCallLimit);
    assert_eq!(living.value("skill.echo(2)"), json!(2));
}
