use super::host::{TestHost, again, failure_within, open, run_on, together, value};
use crate::memory::MemoryMeter;
use crate::runtime::Runtime;
use crate::{CPython, to_python};
use pyo3::Python;
use serde_json::{Value, json};
use skills_core::{Breach, Budget, CapStatus, Enforcement, ErrorKind, Failure, Interpreter, LimitName, Limits};
use std::time::{Duration, Instant};

fn breach(failure: &Failure, kind: ErrorKind, name: LimitName) -> Breach {
    let limit = failure.limit.unwrap_or_else(|| panic!("no breach: {failure:?}"));
    assert_eq!((failure.kind, limit.name), (kind, name), "{failure:?}");
    limit
}

fn time(ms: u64) -> Limits {
    Limits { time: Some(Duration::from_millis(ms)), ..Limits::default() }
}

#[test]
fn time_stops_every_sort_of_loop() {
    let mut session = open();
    // An import that is stopped half way is not what is tried here.
    assert!(again(&mut *session, "import asyncio", Limits::default()).result.is_ok());
    for source in [
        "while True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "def f():\n    try:\n        while True: pass\n    finally:\n        while True: pass\nf()",
        "def f():\n    try: f()\n    except: f()\nf()",
        "import time\ntime.sleep(1000)",
        "from time import sleep\nwhile True:\n    try: sleep(1000)\n    except BaseException: pass",
        "import asyncio\nasync def run(): await asyncio.sleep(1000)",
        "import asyncio\nasync def run():\n    while True:\n        try: await asyncio.sleep(1000)\n        except BaseException: pass",
        "class A:\n    def __repr__(self):\n        while True: pass\nA()",
        "class A:\n    def __del__(self):\n        while True: pass\na = A()\n1",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E()",
        "import sys\ntry: sys.setswitchinterval(10000)\nexcept RuntimeError: pass\nwhile True: pass",
    ] {
        let started = Instant::now();
        let failure = again(&mut *session, source, time(50)).result.unwrap_err();
        assert_eq!(breach(&failure, ErrorKind::Timeout, LimitName::Time).limit, 50, "{source}");
        assert!(started.elapsed() < Duration::from_secs(20), "{source}");
        assert_eq!(again(&mut *session, "1 + 1", Limits::default()).result, Ok(json!(2)), "after {source}");
    }
}

#[test]
fn a_timeout_shows_where_the_script_was() {
    let failure = failure_within("x = 1\nwhile True:\n    x += 1", time(30));
    assert!((2..=3).contains(&failure.frames[0].line), "{failure:?}");
}

#[test]
fn host_calls_take_wall_time_only() {
    let host = TestHost::new(time(60));
    assert!(run_on(&host, "skill.deep.slow(150)", json!({})).result.is_ok());
    let limits = Limits { wall: Some(Duration::from_millis(50)), ..Limits::default() };
    let failure = failure_within("while True: skill.deep.slow(1)", limits);
    breach(&failure, ErrorKind::Timeout, LimitName::Wall);
}

#[test]
fn a_run_can_be_cancelled_from_another_thread() {
    let host = TestHost::new(Limits::none());
    let budget = host.budget.clone();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        budget.cancel();
    });
    let evaluation = run_on(&host, "while True:\n    try: pass\n    except BaseException: pass", json!({}));
    assert_eq!(evaluation.result.unwrap_err().kind, ErrorKind::Cancelled);
    other.join().unwrap();
    let cancelled = TestHost::new(Limits::none());
    cancelled.budget.cancel();
    assert_eq!(run_on(&cancelled, "1", json!({})).result.unwrap_err().kind, ErrorKind::Cancelled);
}

#[test]
fn memory_is_refused_before_it_is_spent() {
    let mut session = open();
    let limits = || Limits { memory: Some(64 << 20), ..Limits::default() };
    for source in [
        "'a' * 10**10",
        "[0] * 10**9",
        "bytearray(10**10)",
        "x = {}\nfor i in range(10**9): x[i] = str(i)",
        "x = []\nwhile True: x.append(object())",
        "x = 'a'\nwhile True: x += x",
        "try: x = 'a' * 10**10\nexcept MemoryError: pass",
        "try: x = 'a' * 10**10\nexcept MemoryError:\n    while True: pass",
        "x = []\ndef f():\n    while True:\n        try: x.append('a' * 100_000)\n        except BaseException: pass\nf()",
        "import threading\ndef f():\n    x = [0] * 10**9\nt = threading.Thread(target=f)\nt.start()\nt.join()",
        "class A:\n    def __repr__(self): return 'a' * 10**10\nA()",
        "x = [skill.echo('a' * 1_000_000) for i in range(1000)]",
    ] {
        let evaluation = again(&mut *session, source, limits());
        let breach = breach(&evaluation.result.unwrap_err(), ErrorKind::MemoryLimit, LimitName::Memory);
        assert_eq!(breach.limit, 64 << 20);
        assert!(breach.reading > breach.limit, "{source}");
        let peak = evaluation.usage.peak_memory.unwrap();
        assert!(peak <= 80 << 20, "{peak} {source}");
        assert_eq!(
            again(&mut *session, "len('a' * 10_000_000)", limits()).result,
            Ok(json!(10_000_000)),
            "after {source}"
        );
    }
}

#[test]
fn small_memory_limits_hold_too() {
    let limits = || Limits { memory: Some(300_000), ..Limits::default() };
    breach(
        &failure_within("x = [object() for i in range(100_000)]", limits()),
        ErrorKind::MemoryLimit,
        LimitName::Memory,
    );
    let host = TestHost::new(limits());
    assert_eq!(run_on(&host, "sum(range(1000))", json!({})).result, Ok(json!(499_500)));
}

#[test]
fn what_a_run_frees_it_may_use_again() {
    let host = TestHost::new(Limits { memory: Some(32 << 20), ..Limits::default() });
    assert_eq!(
        run_on(&host, "for i in range(100): x = None; x = 'a' * 20_000_000\nlen(x)", json!({})).result,
        Ok(json!(20_000_000))
    );
}

#[test]
fn parameters_count_against_the_limit() {
    let limits = |mb: u64| Limits { memory: Some(mb << 20), ..Limits::default() };
    let large = json!({"text": "a".repeat(40 << 20)});
    let evaluation = run_on(&TestHost::new(limits(64)), "len(params['text'])", large.clone());
    assert_eq!(evaluation.result, Ok(json!(40 << 20)));
    let peak = evaluation.usage.peak_memory.unwrap();
    assert!((40 << 20..48 << 20).contains(&peak), "{peak}");
    // What the script makes comes on top.
    let failure = run_on(&TestHost::new(limits(64)), "params['text'] + 'b'", large.clone()).result.unwrap_err();
    breach(&failure, ErrorKind::MemoryLimit, LimitName::Memory);
    // Many small ones, and one that is not even made: the script never begins.
    let many: Vec<String> = (0..400_000).map(|i| format!("number {i}")).collect();
    for params in [large, json!({"many": many}), json!({"many": vec![0; 8_000_000]})] {
        let host = TestHost::new(limits(16));
        let evaluation = run_on(&host, "print('began')", params);
        let breach = breach(&evaluation.result.unwrap_err(), ErrorKind::MemoryLimit, LimitName::Memory);
        assert!(breach.limit == 16 << 20 && breach.reading > 16 << 20, "{breach:?}");
        assert_eq!((host.stdout(), evaluation.usage.operations), (String::new(), None));
    }
}

#[test]
fn parameters_beyond_the_limit_are_not_made() {
    const LIMIT: u64 = 16 << 20;
    let many: Vec<String> = (0..400_000).map(|i| format!("number {i}")).collect();
    let _together = together();
    Runtime::start().unwrap();
    for params in [json!({"text": "a".repeat(40 << 20)}), json!({"many": many}), json!({"many": vec![0; 8_000_000]})] {
        let limits = Limits { memory: Some(LIMIT), ..Limits::default() };
        let (meter, budget) = (MemoryMeter::new(limits.memory), Budget::new(limits));
        let params = params.as_object().unwrap();
        let made = Python::attach(|py| to_python::parameters(py, params, (&meter, &budget), |_| Ok(())).map(drop));
        assert_eq!(made.unwrap_err().kind, ErrorKind::MemoryLimit);
        assert!(meter.peak() < LIMIT * 5 / 4, "{}", meter.peak());
    }
}

#[test]
fn parameters_are_nobodys_when_the_run_is_over() {
    let mut session = open();
    let host: std::sync::Arc<dyn skills_core::Host> =
        TestHost::new(Limits { memory: Some(64 << 20), ..Limits::default() });
    let _together = together();
    for _ in 0..5 {
        let evaluation = session.run(
            &super::host::script("import gc\nkept = params\nlen(params['text'])"),
            &json!({"text": "a".repeat(40 << 20)}),
            &host,
        );
        assert_eq!(evaluation.result, Ok(json!(40 << 20)));
        assert!(evaluation.usage.peak_memory.unwrap() < 48 << 20);
    }
}

fn operations(source: &str, limit: u64) -> (Result<Value, Failure>, u64) {
    let host = TestHost::new(Limits { operations: Some(limit), ..Limits::default() });
    let evaluation = run_on(&host, source, json!({}));
    (evaluation.result, evaluation.usage.operations.unwrap())
}

#[test]
fn operations_are_loop_jumps_and_calls() {
    for (source, about) in [
        ("for i in range(1000): pass", 1000..=1001),
        ("for i in range(100):\n    x = i\n    y = i", 100..=100),
        ("i = 0\nwhile i < 1000: i += 1", 998..=1001),
        ("def f(): pass\nfor i in range(100): f()", 199..=201),
        ("sum(range(100000))", 0..=0),
        ("[i for i in range(100)]", 99..=102),
        ("x = 1\ny = 2", 0..=0),
        ("import json, collections, dataclasses\njson.loads('[1]')", 0..=0),
        ("exec('for i in range(100): pass')", 99..=101),
        ("def run(): return 1", 1..=1),
    ] {
        let (result, count) = operations(source, 1_000_000);
        assert!(result.is_ok(), "{source}: {result:?}");
        assert!(about.contains(&count), "{source}: {count}");
        assert_eq!(operations(source, 1_000_000).1, count, "{source}");
    }
}

#[test]
fn operations_stop_at_the_same_count_every_time() {
    let source = "import json\nclass A:\n    def __del__(self): pass\nn = 0\nwhile True:\n    a = A(); a.a = a; n += len({str(n), 'b'})";
    for _ in 0..3 {
        let (result, count) = operations(source, 5000);
        let limit = breach(&result.unwrap_err(), ErrorKind::OperationLimit, LimitName::Operations);
        assert_eq!((limit.limit, limit.reading, count), (5000, 5001, count));
    }
    let places: Vec<_> = (0..3)
        .map(|_| {
            let host = TestHost::new(Limits { operations: Some(500), ..Limits::default() });
            let source = "n = 0\nwhile True:\n    n += 1\n    if n % 100 == 0: print(n)";
            run_on(&host, source, json!({})).result.unwrap_err();
            host.stdout()
        })
        .collect();
    assert_eq!(places, vec!["100\n200\n300\n400\n500\n"; 3]);
}

#[test]
fn counting_cannot_be_switched_off() {
    for source in [
        "import sys\nsys.settrace(None)\nwhile True: pass",
        "import sys\ntry: sys.settrace(None)\nexcept RuntimeError: pass\nwhile True: pass",
        "import sys\ntry: sys.settrace(lambda *a: None)\nexcept RuntimeError: pass\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import threading\ndef f():\n    while True: pass\nt = threading.Thread(target=f)\nt.start()\nt.join()",
    ] {
        let failure = operations(source, 1000).0.unwrap_err();
        let own = failure.message.contains("cannot set a trace function");
        assert!(own || failure.kind == ErrorKind::OperationLimit, "{source}: {failure:?}");
    }
    assert_eq!(value("import sys\nsys.settrace(None)\n1"), json!(1));
}

#[test]
fn recursion_is_limited_by_cpython_and_by_the_limit() {
    let source = "def f(n): return f(n + 1)\nf(0)";
    let by_cpython = failure_within(source, Limits::default());
    let limit = breach(&by_cpython, ErrorKind::RecursionLimit, LimitName::Recursion);
    assert_eq!((limit.limit, limit.reading), (1000, 1001));
    assert_eq!(by_cpython.frames.len(), 32);
    let limits = || Limits { recursion: Some(50), ..Limits::default() };
    let by_limit = breach(&failure_within(source, limits()), ErrorKind::RecursionLimit, LimitName::Recursion);
    assert_eq!((by_limit.limit, by_limit.reading), (50, 51));
    let within = TestHost::new(limits());
    assert_eq!(run_on(&within, "import json\ndef f(n): return n and f(n - 1)\nf(49)", json!({})).result, Ok(json!(0)));
    assert!(
        failure_within("import sys\nsys.setrecursionlimit(10**6)", Limits::default()).message.contains("cannot raise")
    );
    let caught = "def f(): f()\ntry: f()\nexcept RecursionError: x = 1\nx";
    assert_eq!(value(caught), json!(1));
}

#[test]
fn output_is_capped_as_it_is_written() {
    let limits = || Limits { output: Some(1000), ..Limits::default() };
    for source in [
        "while True: print('hello')",
        "while True: print('x', end='')",
        "print('a' * 10_000_000)",
        "import sys\nwhile True:\n    try: sys.stderr.write('abc\\n')\n    except BaseException: pass",
    ] {
        let host = TestHost::new(limits());
        let failure = run_on(&host, source, json!({})).result.unwrap_err();
        breach(&failure, ErrorKind::OutputLimit, LimitName::Output);
        assert!(host.stdout().len() + host.stderr().len() <= 1000);
    }
    let host = TestHost::new(limits());
    let failure = run_on(&host, "print('a' * 1001, end='')", json!({})).result.unwrap_err();
    breach(&failure, ErrorKind::OutputLimit, LimitName::Output);
}

#[test]
fn a_large_result_is_refused_while_it_is_built() {
    let limits = || Limits { result: Some(1000), ..Limits::default() };
    for source in
        ["'a' * 1001", "[0] * 1_000_000", "range(10**15)", "{i: i for i in range(1000)}", "b'a' * 1000", "1 << 40_000"]
    {
        breach(&failure_within(source, limits()), ErrorKind::OutputLimit, LimitName::Result);
    }
    let host = TestHost::new(limits());
    assert!(run_on(&host, "'a' * 998", json!({})).result.is_ok());
    breach(&failure_within("'\\n' * 600", limits()), ErrorKind::OutputLimit, LimitName::Result);
}

#[test]
fn host_calls_are_counted_and_the_end_cannot_be_caught() {
    let limits = Limits { host_calls: Some(3), ..Limits::default() };
    let source = "n = 0\nwhile True:\n    try:\n        skill.echo(1)\n    except BaseException: pass";
    let limit = breach(&failure_within(source, limits), ErrorKind::HostCallLimit, LimitName::HostCalls);
    assert_eq!((limit.limit, limit.reading), (3, 4));
}

#[test]
fn every_cap_passes_its_own_test() {
    let found = CPython::new().self_test().unwrap();
    assert_eq!(found.len(), 9);
    let held = |cap: &CapStatus| cap.name == LimitName::CpuPercent || cap.status != Enforcement::Unavailable;
    assert!(found.iter().all(held), "{found:#?}");
    let status = |name| found.iter().find(|cap| cap.name == name).unwrap().status;
    assert_eq!(status(LimitName::Memory), Enforcement::Enforced);
    assert_eq!(status(LimitName::CpuPercent), Enforcement::Unavailable);
    assert_eq!(status(LimitName::Time), Enforcement::BestEffort);
    assert_eq!(CPython::new().caps(), found);
}
