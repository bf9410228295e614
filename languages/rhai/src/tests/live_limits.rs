use super::hosts::{Notebook, TestHost};
use serde_json::json;
use skills_core::{Breach, Cell, Entry, ErrorKind, Host, Language, LimitName, Limits, Script};
use std::sync::Arc;
use std::time::Duration;

fn none() -> Limits {
    Limits::none()
}

#[test]
fn every_limit_leaves_the_session_as_it_was() {
    let limits = [
        (Limits { operations: Some(2000), ..none() }, "loop { }", ErrorKind::OperationLimit),
        (Limits { time: Some(Duration::from_millis(30)), ..none() }, "loop { }", ErrorKind::Timeout),
        (Limits { recursion: Some(50), ..none() }, "fn f(n) { f(n + 1) } f(0)", ErrorKind::RecursionLimit),
        (Limits { output: Some(20), ..none() }, "loop { print(12345) }", ErrorKind::OutputLimit),
        (Limits { host_calls: Some(3), ..none() }, "loop { skill.echo(1) }", ErrorKind::HostCallLimit),
        (Limits { memory: Some(4 << 20), ..none() }, "let a = []; loop { a.push(\"x\"); }", ErrorKind::MemoryLimit),
    ];
    let mut notebook = Notebook::new();
    notebook.value("let kept = [1, 2]; fn sum() { 3 } let f = || kept;");
    for (limits, source, kind) in limits {
        let failure = notebook.eval_with(&format!("kept.push(3);\n{source}"), limits).evaluation.result.unwrap_err();
        assert_eq!(failure.kind, kind, "{source}");
        assert!(failure.frames.iter().all(|frame| frame.file.starts_with("<cell")));
        assert!(notebook.session.reusable());
    }
    assert_eq!(notebook.value("[kept.len(), sum(), f.call().len()]"), json!([8, 3, 8]));
}

#[test]
fn a_cell_can_be_interrupted() {
    let mut notebook = Notebook::new();
    notebook.value("let n = 0;");
    let host = TestHost::new(none());
    let seen: Arc<dyn Host> = host.clone();
    let budget = host.budget().clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        budget.cancel();
    });
    let source = "loop { n += 1; try { loop { n += 1 } } catch { } }".into();
    let script = Arc::new(Script { language: Language::Rhai, file: "<cell>".into(), source });
    let evaluated = notebook.session.eval(&Cell { script, entry: Entry::Cell }, &seen);
    canceller.join().unwrap();
    assert_eq!(evaluated.evaluation.result.unwrap_err().kind, ErrorKind::Cancelled);
    assert_eq!(notebook.value("n > 0"), json!(true));
}

#[test]
fn the_memory_limit_holds_for_all_cells_together() {
    let limits = || Limits { memory: Some(24 << 20), ..none() };
    let mut notebook = Notebook::new();
    let mut made = 0;
    // Each takes about 4 MB.
    let failure = loop {
        let source = format!("let part{made} = []; part{made}.pad(250000, {made}); part{made}.len()");
        match notebook.eval_with(&source, limits()).evaluation.result {
            Ok(_) => made += 1,
            Err(failure) => break failure,
        }
        assert!(made < 8, "the limit never held");
    };
    assert!(made >= 2, "{made}");
    assert_eq!(failure.limit.unwrap().name, LimitName::Memory);
    // What was made before is there, and there is room again for what is let go of.
    let value = notebook.eval_with("let part0 = (); part1.len()", limits()).evaluation.result;
    assert_eq!(value.unwrap(), json!(250_000));
    let held = notebook.session.held().memory.unwrap();
    assert!(((made as u64 - 2) * 4_000_000..26 << 20).contains(&held), "{held}");
    for _ in 0..20 {
        notebook.eval_with("let part1 = []; part1.pad(100000, 0);", limits()).evaluation.result.unwrap();
    }
}

#[test]
fn a_cell_that_fills_the_memory_makes_room_for_the_next() {
    let limits = || Limits { memory: Some(8 << 20), ..none() };
    let mut notebook = Notebook::new();
    notebook.value("let small = [1, 2, 3]; let hog = [];");
    let failure = notebook.eval_with("loop { hog.push(\"abc\"); }", limits()).evaluation.result.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::MemoryLimit);
    assert_eq!(failure.help.as_deref(), Some("to make room, the session let go of `hog`"));
    assert_eq!(notebook.eval_with("small.len()", limits()).evaluation.result.unwrap(), json!(3));
    assert!(notebook.failure("hog").message.contains("hog"));
    // Where the cell's own values were the trouble, nothing is let go of.
    let failure = notebook.eval_with("{ let t = []; loop { t.push(\"abc\"); } }", limits()).evaluation.result;
    assert_eq!(failure.unwrap_err().kind, ErrorKind::MemoryLimit);
    assert_eq!(notebook.eval_with("small", limits()).evaluation.result.unwrap(), json!([1, 2, 3]));
}

#[test]
fn what_failures_and_results_take_is_not_held() {
    let mut notebook = Notebook::new();
    notebook.value("let x = 1;");
    let held = |notebook: &Notebook| notebook.session.held().memory.unwrap();
    notebook.failure("let a = []; a.pad(10000, 1); throw a");
    notebook.value("let a = (); 1");
    let before = held(&notebook);
    for _ in 0..50 {
        notebook.failure("{ let b = []; b.pad(10000, 1); let s = \"\"; s.pad(4000, 'x'); throw s }");
        notebook.value("let b = []; b.pad(10000, 1); let s = b.to_string(); b = (); s");
        notebook.value("s = (); 1");
    }
    let after = held(&notebook);
    assert!(after < before + 100_000, "{before} {after}");
}

#[test]
fn what_a_cell_used_is_told() {
    let mut notebook = Notebook::new();
    let count = |notebook: &mut Notebook| notebook.eval("let i = 0; while i < 100 { i += 1; }").evaluation.usage;
    let usage = count(&mut notebook);
    assert_eq!(usage.operations, count(&mut notebook).operations);
    assert!(usage.cpu.is_some() && usage.operations.unwrap() > 100);
    notebook.value("let big = []; big.pad(100000, 1);");
    // What the namespace holds counts for the next cell.
    assert!(notebook.eval("1").evaluation.usage.peak_memory.unwrap() > 1_600_000);
    assert!(notebook.session.held().cpu.unwrap() > Duration::ZERO);
    let limits = Limits { operations: Some(usage.operations.unwrap() - 1), ..none() };
    let failure = notebook.eval_with("let i = 0; while i < 100 { i += 1; }", limits).evaluation.result.unwrap_err();
    let limit = usage.operations.unwrap() - 1;
    assert_eq!(failure.limit, Some(Breach { name: LimitName::Operations, limit, reading: limit + 1 }));
}

#[test]
fn deep_values_are_walked_and_dropped() {
    let mut notebook = Notebook::new();
    let source = "let deep = []; let i = 0; while i < 3000 { let next = []; next.push(deep); deep = next; i += 1; }";
    notebook.eval_with(source, none()).evaluation.result.unwrap();
    let host = super::hosts::any_host();
    assert!(notebook.session.variables(&host).unwrap().iter().any(|variable| variable.name == "deep"));
    let snapshot = notebook.session.snapshot(&host).unwrap();
    assert!(snapshot.lost.is_empty());
    let mut other = Notebook::new();
    other.session.restore(&snapshot, &host).unwrap();
    let fork = other.session.fork(&host).unwrap().unwrap()().unwrap();
    drop((notebook, other, fork));
}

#[test]
fn closures_that_nothing_refers_to_are_let_go_of() {
    let mut notebook = Notebook::new();
    let run = |notebook: &mut Notebook| {
        for n in 0..200 {
            notebook.value(&format!("[1, 2].map(|x| x + {n}); 1"));
        }
        notebook.session.held().memory.unwrap()
    };
    let early = run(&mut notebook);
    let late = run(&mut notebook);
    assert!(late < early + 60_000, "{early} {late}");
}
