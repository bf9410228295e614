//! Limits and interruptions, which a session outlives.

use super::host::TestHost;
use super::live::repl;
use serde_json::json;
use skills_core::{ErrorKind, LimitName, Limits};
use std::time::Duration;

fn time(ms: u64) -> Limits {
    Limits { time: Some(Duration::from_millis(ms)), ..Limits::default() }
}

#[test]
fn a_cell_that_is_cancelled_leaves_the_session() {
    let mut repl = repl();
    repl.value("x = 41");
    for source in [
        "y = 1\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import time\ntime.sleep(1000)",
        "import asyncio\nawait asyncio.sleep(1000)",
        "import asyncio\nasync def busy():\n    while True: await asyncio.sleep(0)\nawait busy()",
    ] {
        let host = TestHost::new(Limits::none());
        let budget = host.budget.clone();
        let other = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            budget.cancel();
        });
        let failure = repl.cell_on(&host, source).evaluation.result.unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Cancelled, "{source}");
        other.join().unwrap();
        assert_eq!(repl.value("x + 1"), json!(42), "after {source}");
        assert_eq!(repl.value("import asyncio\nawait asyncio.sleep(0, 5)"), json!(5), "after {source}");
    }
    assert_eq!(repl.value("y"), json!(1), "what it had done stays");
    assert!(repl.session.reusable());
}

#[test]
fn a_time_limit_ends_the_cell_only() {
    let mut repl = repl();
    repl.value("x = 1");
    for source in ["while True: x += 1", "class A:\n    def __repr__(self):\n        while True: pass\nA()"] {
        let failure = repl.cell(source, time(40)).evaluation.result.unwrap_err();
        assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::Timeout, LimitName::Time));
        assert_eq!(repl.value("x > 0"), json!(true));
    }
    let failure = repl.cell("while True:\n    x += 1", time(40)).evaluation.result.unwrap_err();
    assert_eq!(failure.frames[0].file, "<cell 6>");
}

#[test]
fn too_deep_a_recursion_ends_the_cell_only() {
    let mut repl = repl();
    repl.value("def f(n): return f(n + 1)");
    for _ in 0..3 {
        assert_eq!(repl.failure("f(0)").kind, ErrorKind::RecursionLimit);
        assert_eq!(repl.value("1"), json!(1));
    }
    let limits = Limits { recursion: Some(50), ..Limits::default() };
    repl.value("def g(n): return n and g(n - 1)");
    assert_eq!(repl.cell("g(100)", limits).evaluation.result.unwrap_err().kind, ErrorKind::RecursionLimit);
    assert_eq!(repl.value("g(100)"), json!(0));
}

#[test]
fn operations_are_those_of_the_cell_and_of_what_earlier_cells_defined() {
    let mut repl = repl();
    let limits = || Limits { operations: Some(1000), ..Limits::default() };
    repl.value("def f(n):\n    for i in range(n): pass");
    for _ in 0..3 {
        let usage = repl.cell("f(500)", limits()).evaluation.usage;
        assert!((500..=502).contains(&usage.operations.unwrap()), "{usage:?}");
    }
    let through_library = "import functools, json\njson.dumps(object(), default=lambda o: f(2000))";
    let failure = repl.cell(through_library, limits()).evaluation.result.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::OperationLimit);
}

#[test]
fn memory_is_that_of_the_namespace_and_the_cell() {
    let mut repl = repl();
    let limits = || Limits { memory: Some(64 << 20), ..Limits::default() };
    repl.cell("a = bytearray(40 << 20)", limits()).evaluation.result.unwrap();
    for _ in 0..3 {
        let evaluation = repl.cell("b = bytearray(40 << 20)", limits()).evaluation;
        let failure = evaluation.result.unwrap_err();
        assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::MemoryLimit, LimitName::Memory));
        assert_eq!(repl.cell("len(a) >> 20", limits()).evaluation.result, Ok(json!(40)), "the session goes on");
    }
    let peak = repl.cell("1", limits()).evaluation.usage.peak_memory.unwrap();
    assert!((40 << 20..48 << 20).contains(&peak), "{peak}");
    repl.cell("del a", limits()).evaluation.result.unwrap();
    repl.cell("b = bytearray(40 << 20)", limits()).evaluation.result.unwrap();
    let held = repl.cell("1", limits()).evaluation.usage.peak_memory.unwrap();
    assert!((40 << 20..48 << 20).contains(&held), "what is freed is taken off once: {held}");
}

#[test]
fn what_earlier_cells_held_is_not_taken_off_twice() {
    let mut repl = repl();
    let limits = || Limits { memory: Some(32 << 20), ..Limits::default() };
    repl.cell("a = bytearray(20 << 20)", limits()).evaluation.result.unwrap();
    for _ in 0..5 {
        repl.cell("a = None; a = bytearray(20 << 20)", limits()).evaluation.result.unwrap();
        let too_much = repl.cell("c = bytearray(20 << 20)", limits()).evaluation.result;
        assert_eq!(too_much.unwrap_err().kind, ErrorKind::MemoryLimit);
    }
}

#[test]
fn a_memory_error_of_small_objects_leaves_the_session() {
    let mut repl = repl();
    let limits = || Limits { memory: Some(24 << 20), ..Limits::default() };
    repl.cell("x = 'kept'", limits()).evaluation.result.unwrap();
    for source in ["[object() for i in range(10**7)]", "x2 = {i: [i] for i in range(10**7)}", "'a' * 10**9"] {
        assert_eq!(repl.cell(source, limits()).evaluation.result.unwrap_err().kind, ErrorKind::MemoryLimit, "{source}");
        assert_eq!(repl.cell("x", limits()).evaluation.result, Ok(json!("kept")), "after {source}");
    }
    assert!(repl.session.reusable());
}

#[test]
fn threads_end_with_their_cell() {
    let mut repl = repl();
    repl.value("import threading, time\nn = 0\ndef loop():\n    global n\n    while True:\n        n += 1\n        time.sleep(0.001)");
    repl.value("t = threading.Thread(target=loop)\nt.start()\ntime.sleep(0.02)");
    assert_eq!(repl.value("m = n\ntime.sleep(0.02)\n[n == m, n > 0, t.is_alive()]"), json!([true, true, false]));
}

#[test]
fn finalizers_do_not_keep_a_session_from_ending() {
    let mut repl = repl();
    repl.value("class A:\n    def __del__(self):\n        while True: pass\na = A()\na.a = a");
    drop(repl);
}

#[test]
fn finalizers_take_no_more_memory_than_a_little() {
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut repl = repl();
    // The names of the namespace are gone by then.
    let code = "import os\nclass A:\n    def __del__(self, write=os.write):\n        write(FD, b'begun')\n        \
                bytearray(100 << 20)\n        write(FD, b', and had it')\na = A()";
    repl.value(&code.replace("FD", &writer.as_raw_fd().to_string()));
    drop(repl);
    drop(writer);
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    assert_eq!(said, "begun");
}
