//! What each limit is worth, and the test that each is armed.

use crate::runtime::Runtime;
use serde_json::json;
use skills_core::{
    Breach, CapStatus, Enforcement, Evaluation, Failure, Interpreter, Language, LimitName, Limits, ProbeHost, Script,
    watchdog,
};
use std::sync::Arc;
use std::time::Duration;

const MEMORY_UNAVAILABLE: &str = "the host program started CPython itself, so its memory is not counted";

/// The limits with what they are known not to stop.
const KNOWN: [(LimitName, Enforcement, &str); 9] = [
    (
        LimitName::Time,
        Enforcement::BestEffort,
        "stops Python code between bytecodes, sleep and asyncio; not C code such as 10**10**8 or a catastrophic regex",
    ),
    (LimitName::Wall, Enforcement::BestEffort, "as time; a host call is not interrupted"),
    (
        LimitName::Memory,
        Enforcement::Enforced,
        "CPython's allocators refuse, arenas of 1 MiB at a time; not what a C library takes for itself",
    ),
    (LimitName::Operations, Enforcement::Enforced, "loop jumps and calls of the script's own functions"),
    (LimitName::Output, Enforcement::Enforced, "what goes through sys.stdout and sys.stderr, as it is written"),
    (LimitName::Result, Enforcement::Enforced, "measured while the value is converted"),
    (
        LimitName::Recursion,
        Enforcement::Enforced,
        "nested calls of the script's own functions; CPython's own guard of 1000 calls always holds",
    ),
    (LimitName::HostCalls, Enforcement::Enforced, "counted at each call"),
    (LimitName::CpuPercent, Enforcement::Unavailable, "nothing paces CPython from inside; run the skill in a worker"),
];

/// The limits as they are known, without starting anything.
pub(crate) fn known() -> Vec<CapStatus> {
    let foreign = Runtime::get().is_ok_and(|runtime| runtime.foreign);
    KNOWN
        .iter()
        .map(|(name, status, detail)| match name {
            LimitName::Memory if foreign => unavailable(*name, MEMORY_UNAVAILABLE),
            _ => CapStatus { name: *name, status: *status, detail: (*detail).to_owned() },
        })
        .collect()
}

fn unavailable(name: LimitName, detail: &str) -> CapStatus {
    CapStatus { name, status: Enforcement::Unavailable, detail: detail.to_owned() }
}

/// Runs into each limit with a small script, and believes only what stopped it.
pub(crate) fn self_test(interpreter: &dyn Interpreter) -> Result<Vec<CapStatus>, Failure> {
    Runtime::start()?;
    let mut found = Vec::new();
    for status in known() {
        let (script, limits) = trial(status.name);
        let evaluation = attempt(interpreter, script, limits)?;
        let stopped = matches!(
            evaluation.result,
            Err(Failure { limit: Some(Breach { name, .. }), .. }) if name == status.name
        );
        found.push(match status.status {
            Enforcement::Unavailable => status,
            _ if stopped && watchdog::armed() => status,
            _ => unavailable(status.name, "a script that passes this limit was not stopped"),
        });
    }
    Ok(found)
}

/// A script that passes a limit, and that ends by itself where the limit is not armed.
fn trial(name: LimitName) -> (&'static str, Limits) {
    let base = Limits { wall: Some(Duration::from_secs(10)), ..Limits::none() };
    match name {
        LimitName::Time => {
            ("n = 0\nwhile n < 50_000_000: n += 1", Limits { time: Some(Duration::from_millis(20)), ..base })
        }
        LimitName::Wall => {
            ("n = 0\nwhile n < 50_000_000: n += 1", Limits { wall: Some(Duration::from_millis(20)), ..base })
        }
        LimitName::Memory => ("len('a' * (64 << 20))", Limits { memory: Some(32 << 20), ..base }),
        LimitName::Operations => ("for i in range(10_000): pass", Limits { operations: Some(1000), ..base }),
        LimitName::Output => ("print('a' * 1000)", Limits { output: Some(100), ..base }),
        LimitName::Result => ("'a' * 1000", Limits { result: Some(100), ..base }),
        LimitName::Recursion => {
            ("def f(n):\n    return n and f(n - 1)\nf(100)", Limits { recursion: Some(50), ..base })
        }
        _ => ("for i in range(3): skill.probe()", Limits { host_calls: Some(2), ..base }),
    }
}

fn attempt(interpreter: &dyn Interpreter, source: &str, limits: Limits) -> Result<Evaluation, Failure> {
    let host = ProbeHost::with_limits(limits);
    let script =
        Arc::new(Script { language: Language::Python, file: "<self-test>".to_owned(), source: source.to_owned() });
    Ok(interpreter.open(&host)?.run(&script, &json!({}), &host))
}
