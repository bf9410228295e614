//! What each limit is worth: known as constants, and found by trying.

use crate::engine::Engine;
use crate::session::JavaScriptSession;
use serde_json::{Map, Value};
use skills_core::{
    CapStatus, Enforcement, ErrorKind, Failure, Language, LimitName, Limits, ProbeHost, Script, Session,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Makes sure, once in a process, that the memory limit holds: one that does nothing looks just like one that works.
pub(crate) fn ensure_armed(engine: &mut Engine) -> Result<(), Failure> {
    static ARMED: AtomicBool = AtomicBool::new(false);
    if ARMED.load(Ordering::Relaxed) {
        return Ok(());
    }
    if !engine.refuses_memory() {
        let message = "the JavaScript engine does not refuse memory beyond its limit";
        return Err(Failure::new(ErrorKind::Unavailable, message)
            .with_help("this build of the engine cannot run scripts safely; run them in a worker process"));
    }
    ARMED.store(true, Ordering::Relaxed);
    Ok(())
}

/// What each limit is known to be worth.
pub(crate) fn known() -> Vec<CapStatus> {
    use Enforcement::{BestEffort, Enforced, Unavailable};
    let time = "checked from another thread at loops, calls and in regular expressions; a search for a long text in a \
                long text, or one operation on a huge integer, ends late";
    let memory = if cfg!(feature = "quickjs") {
        "the engine refuses allocations beyond the limit, array buffers included"
    } else {
        "V8 is stopped near its heap limit; array buffers are counted when garbage is collected"
    };
    let list = [
        (LimitName::Time, BestEffort, time),
        (LimitName::Wall, BestEffort, time),
        (LimitName::Memory, if cfg!(feature = "quickjs") { Enforced } else { BestEffort }, memory),
        (LimitName::Operations, Enforced, "loop passes and calls are counted where a limit is set; exact"),
        (LimitName::Output, Enforced, "counted before it is kept"),
        (LimitName::Result, Enforced, "counted while the result is made"),
        (
            LimitName::Recursion,
            Enforced,
            "nested calls are counted where a limit is set; the engine's stack is bounded always",
        ),
        (LimitName::HostCalls, Enforced, "counted by the host"),
        if cfg!(feature = "quickjs") {
            let share = "a script that is ahead of its share rests at loops and calls; a long native operation is made up \
                         for after it";
            (LimitName::CpuPercent, Enforced, share)
        } else {
            (LimitName::CpuPercent, Unavailable, "V8 is not paced; run the skill in a worker")
        },
    ];
    list.into_iter().map(|(name, status, detail)| CapStatus { name, status, detail: detail.into() }).collect()
}

/// A script for a limit, which must end with its breach.
struct Probe {
    name: LimitName,
    limits: Limits,
    sources: &'static [&'static str],
}

fn probes() -> Vec<Probe> {
    // Whatever else fails, a probe ends.
    let base = || Limits { wall: Some(Duration::from_secs(5)), ..Limits::none() };
    let soon = Some(Duration::from_millis(20));
    let endless: &[&str] = &[
        "for (;;);",
        "try { for (;;); } finally { for (;;); }",
        "const f = () => Promise.resolve().then(f); await f()",
    ];
    vec![
        Probe { name: LimitName::Time, limits: Limits { time: soon, ..base() }, sources: endless },
        Probe { name: LimitName::Wall, limits: Limits { wall: soon, ..Limits::none() }, sources: endless },
        Probe {
            name: LimitName::Memory,
            limits: Limits { memory: Some(4 << 20), ..base() },
            sources: &[
                "const a = []; for (;;) a.push([a.length])",
                "const a = []; for (;;) a.push(new ArrayBuffer(65536))",
                "JSON.parse('[' + '{},'.repeat(1e6) + '1]')",
            ],
        },
        Probe {
            name: LimitName::Operations,
            limits: Limits { operations: Some(1000), ..base() },
            sources: &["for (;;);", "const f = () => f(); for (;;) { try { f() } catch {} }"],
        },
        Probe {
            name: LimitName::Output,
            limits: Limits { output: Some(10), ..base() },
            sources: &["for (;;) console.log('x')"],
        },
        Probe {
            name: LimitName::Result,
            limits: Limits { result: Some(10), ..base() },
            sources: &["'x'.repeat(100)", "[1,2,3,4,5,6]"],
        },
        Probe {
            name: LimitName::Recursion,
            limits: Limits { recursion: Some(20), ..base() },
            sources: &["const f = (n) => f(n + 1) + 1; f(0)"],
        },
        Probe {
            name: LimitName::HostCalls,
            limits: Limits { host_calls: Some(5), ..base() },
            sources: &["for (;;) { try { skill.probe() } catch {} }"],
        },
    ]
}

/// Tries every limit on small scripts.
pub(crate) fn self_test() -> Result<Vec<CapStatus>, Failure> {
    let mut found = known();
    try_pace(&mut found)?;
    for probe in probes() {
        for source in probe.sources {
            let host = ProbeHost::with_limits(probe.limits.clone());
            let mut session = JavaScriptSession::open(&host)?;
            let script =
                Arc::new(Script { language: Language::JavaScript, file: "probe.js".into(), source: (*source).into() });
            let result = session.run(&script, &Value::Object(Map::new()), &host).result;
            let breached = result.as_ref().err().and_then(|failure| failure.limit).map(|breach| breach.name);
            if breached != Some(probe.name)
                && let Some(status) = found.iter_mut().find(|status| status.name == probe.name)
            {
                status.status = Enforcement::Unavailable;
                status.detail = format!("`{source}` was not stopped by this limit");
            }
        }
    }
    Ok(found)
}

/// Runs for a time at a small share of the processor. That stops nothing, and is judged by what was used.
fn try_pace(found: &mut [CapStatus]) -> Result<(), Failure> {
    let is_pace = |status: &&mut CapStatus| status.name == LimitName::CpuPercent;
    let Some(status) = found.iter_mut().find(is_pace).filter(|status| status.status == Enforcement::Enforced) else {
        return Ok(());
    };
    let limits = Limits { wall: Some(Duration::from_millis(120)), cpu_percent: Some(20), ..Limits::none() };
    let host = ProbeHost::with_limits(limits);
    let mut session = JavaScriptSession::open(&host)?;
    // The clock of the budget goes on while the session opens.
    let opened = host.budget().wall();
    let script =
        Arc::new(Script { language: Language::JavaScript, file: "probe.js".into(), source: "for (;;);".into() });
    let used = session.run(&script, &Value::Object(Map::new()), &host).usage.cpu.unwrap_or_default();
    let share = used.as_secs_f64() / host.budget().wall().saturating_sub(opened).as_secs_f64();
    if share > 0.6 {
        status.status = Enforcement::Unavailable;
        status.detail = format!("a script used {:.0}% instead of 20%", share * 100.0);
    }
    Ok(())
}
