//! What each limit is worth here, as known and as tried.

use crate::memory;
use crate::session::RhaiSession;
use rhai::Engine;
use serde_json::json;
use skills_core::{
    CapStatus, Enforcement, ErrorKind, Failure, Language, LimitName, Limits, ProbeHost, Script, Session,
};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What the limits are worth where they do what they should.
pub(crate) fn known() -> Vec<CapStatus> {
    [
        LimitName::Time,
        LimitName::Wall,
        LimitName::Memory,
        LimitName::Operations,
        LimitName::Output,
        LimitName::Result,
        LimitName::Recursion,
        LimitName::HostCalls,
        LimitName::CpuPercent,
    ]
    .map(|name| {
        let (status, detail) = worth(name);
        CapStatus { name, status, detail: detail.into() }
    })
    .into()
}

fn worth(name: LimitName) -> (Enforcement, &'static str) {
    let detail = match name {
        LimitName::Time | LimitName::Wall => "a watchdog thread stops the script before its next operation",
        LimitName::Memory if !memory::counted() => {
            return (
                Enforcement::BestEffort,
                "no single value grows beyond the limit, but many together can: install skills_rhai::CountingAllocator",
            );
        }
        LimitName::Memory => "counted by the allocator; no operation goes beyond the limit by a tenth and 8 MB",
        LimitName::Operations => "exact: the same script stops at the same operation every time",
        LimitName::Output => "checked before text is kept",
        LimitName::Result => "checked while the result is built",
        LimitName::Recursion => "Rhai counts its calls; at most 4,096 of them, whatever is asked for",
        LimitName::HostCalls => "counted by the host",
        LimitName::CpuPercent => {
            "a script that is ahead of its share rests; one long operation is made up for after it"
        }
        _ => return (Enforcement::Unavailable, "not known to Rhai"),
    };
    (Enforcement::Enforced, detail)
}

/// Fails where Rhai was built without its limits: a feature of the `rhai` crate that any crate of a program can turn on
/// takes them out, and everything looks as before.
pub(crate) fn require_hooks() -> Result<(), Failure> {
    static HOOKED: OnceLock<bool> = OnceLock::new();
    let hooked = *HOOKED.get_or_init(|| {
        let mut engine = Engine::new_raw();
        engine.on_progress(|operations| (operations > 20).then_some(rhai::Dynamic::UNIT));
        engine.set_max_call_levels(3);
        let stopped = engine.eval::<i64>("let i = 0; while i < 1000 { i = i + 1; } i").is_err();
        engine.on_progress(|_| None);
        stopped && engine.eval::<i64>("fn f(n) { if n > 0 { f(n - 1) } else { 0 } } f(100)").is_err()
    });
    if hooked {
        return Ok(());
    }
    Err(Failure::new(ErrorKind::Unavailable, "this build of Rhai ignores its limits")
        .with_help("build without the `unchecked` feature of the rhai crate"))
}

/// Tries every limit with a small script that goes beyond it.
pub(crate) fn self_test() -> Result<Vec<CapStatus>, Failure> {
    require_hooks()?;
    let mut caps = known();
    for cap in &mut caps {
        if let Err(found) = attempt(cap.name) {
            cap.status = Enforcement::Unavailable;
            cap.detail = format!("a script went beyond it: {found}");
        }
    }
    Ok(caps)
}

/// A script that goes beyond a limit, and the limit.
fn trial(name: LimitName) -> (&'static str, Limits) {
    // So that a limit which does not hold is found out, and the trial ends.
    let within = Limits { time: Some(Duration::from_secs(5)), operations: Some(2_000_000), ..Limits::none() };
    let brief = Some(Duration::from_millis(5));
    match name {
        LimitName::Time => ("loop { }", Limits { time: brief, operations: None, ..within }),
        LimitName::Wall => ("loop { }", Limits { wall: brief, operations: None, ..within }),
        LimitName::Memory if memory::counted() => {
            ("let m = #{}; for i in 0..200000 { m[`${i}`] = i; } 0", Limits { memory: Some(1 << 20), ..within })
        }
        LimitName::Memory => ("blob(10000000).len()", Limits { memory: Some(1 << 20), ..within }),
        LimitName::Operations => {
            ("let i = 0; while i < 1000 { i += 1; } i", Limits { operations: Some(100), ..within })
        }
        LimitName::Output => ("for i in 0..100 { print(i); }", Limits { output: Some(10), ..within }),
        LimitName::Result => ("\"0123456789\"", Limits { result: Some(5), ..within }),
        LimitName::Recursion => {
            ("fn f(n) { if n > 0 { f(n - 1) } else { 0 } } f(50)", Limits { recursion: Some(10), ..within })
        }
        // It stops nothing: the trial ends with its time, and is judged by what it used.
        LimitName::CpuPercent => {
            let wall = Some(Duration::from_millis(120));
            ("loop { }", Limits { wall, cpu_percent: Some(20), operations: None, ..within })
        }
        _ => ("for i in 0..10 { skill.probe(); }", Limits { host_calls: Some(3), ..within }),
    }
}

fn attempt(name: LimitName) -> Result<(), String> {
    let (source, limits) = trial(name);
    let host = ProbeHost::with_limits(limits);
    let script = Script { language: Language::Rhai, file: "self-test".into(), source: source.into() };
    let mut session = RhaiSession::open(&host).map_err(|failure| failure.message)?;
    let evaluation = session.run(&Arc::new(script), &json!({}), &host);
    if name == LimitName::CpuPercent {
        let share = evaluation.usage.cpu.unwrap_or_default().as_secs_f64() / host.budget().wall().as_secs_f64();
        return if share < 0.6 { Ok(()) } else { Err(format!("it used {:.0}% instead of 20%", share * 100.0)) };
    }
    match evaluation.result {
        Err(failure) if failure.limit.is_some_and(|breach| breach.name == name) => Ok(()),
        Err(failure) => Err(failure.message),
        Ok(_) => Err("it ended by itself".into()),
    }
}
