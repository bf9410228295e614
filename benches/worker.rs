//! Calls in confined workers: from the warm pool, forked on the spot, cold; how late the host ends what is late; memory of what is
//! ready. Beside them pydantic-monty, where `SKILLS_MONTY_PYTHON` names a Python that has it, and `python3 -c`.
#![allow(clippy::expect_used, clippy::disallowed_methods, clippy::print_stdout, missing_docs)]

use serde_json::{Value, json};
use skills::{Engine, Isolation, Language, LimitOverrides, RunOptions};
use std::process::Command;
use std::time::{Duration, Instant};

/// Counts what Rhai scripts hold, as in the command.
#[global_allocator]
static ALLOCATOR: skills::CountingAllocator = skills::CountingAllocator;

fn main() {
    skills::worker_main();
    // `cargo bench --bench worker -- python overshoot` measures just these.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == part);
    for language in [Language::Python, Language::JavaScript, Language::Rhai] {
        if wanted(language.as_str()) {
            latency(language);
        }
    }
    let parts: [(&str, fn()); 3] = [("overshoot", overshoot), ("density", density), ("others", others)];
    for (part, measure) in parts {
        if wanted(part) {
            measure();
        }
    }
}

fn engine(ready: usize) -> Engine {
    Engine::builder()
        .reexec()
        .worker(std::env::current_exe().expect("a path"))
        .ready_workers(ready)
        .build()
        .expect("an engine")
}

fn options(limits: LimitOverrides) -> RunOptions {
    let mut options = RunOptions::default();
    options.isolation = Some(Isolation::Worker);
    options.limits = limits;
    options
}

/// How far apart calls are, where a pool is to be full again: as in `monty.py`.
const PAUSE: Duration = Duration::from_millis(10);

fn latency(language: Language) {
    let options = options(LimitOverrides::default());
    let start = Instant::now();
    let cold = engine(0);
    let sum = cold.code(language, "1 + 1");
    let call = |engine: &Engine| assert_eq!(engine.run_skill(&sum, json!({}), &options).result.expect("a value"), 2);
    call(&cold);
    println!("{language}: cold, zygote and all: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    show(&format!("{language}: pool empty, forked from the warm zygote"), times(100, || call(&cold)));
    let warm = engine(2);
    let sum = warm.code(language, "1 + 1");
    let call = || assert_eq!(warm.run_skill(&sum, json!({}), &options).result.expect("a value"), 2);
    call();
    let taken = times(300, || {
        // The same moment between two calls as `monty.py` has.
        std::thread::sleep(PAUSE);
        let wait = Instant::now();
        while warm.pool().ready < 2 && wait.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let start = Instant::now();
        call();
        start.elapsed()
    });
    show(&format!("{language}: fresh confined worker of the warm pool"), taken);
}

/// Something that is timed, or times itself.
trait Timed {
    fn time(self, start: Instant) -> Duration;
}

impl Timed for () {
    fn time(self, start: Instant) -> Duration {
        start.elapsed()
    }
}

impl Timed for Duration {
    fn time(self, _start: Instant) -> Duration {
        self
    }
}

fn times<T: Timed>(count: usize, mut call: impl FnMut() -> T) -> Vec<Duration> {
    let mut all: Vec<Duration> = (0..count)
        .map(|_| {
            let start = Instant::now();
            call().time(start)
        })
        .collect();
    all.sort();
    all
}

fn show(what: &str, times: Vec<Duration>) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!("{what}: median {:.0} µs, p99 {:.0} µs", at(0.5), at(0.99));
}

fn overshoot() {
    let limit = Duration::from_millis(50);
    let options = options(LimitOverrides { time: Some(limit), ..LimitOverrides::default() });
    let engine = engine(2);
    for code in ["while True: pass", "10**10**8"] {
        let script = engine.code(Language::Python, code);
        let late = times(200, || {
            let outcome = engine.run_skill(&script, json!({}), &options);
            assert!(outcome.result.is_err());
            outcome.usage.wall.saturating_sub(limit)
        });
        show(&format!("later than 50 ms: {code}"), late);
    }
}

fn density() {
    let count = 16;
    let engine = engine(count);
    let run = || engine.run_skill(&engine.code(Language::Python, "1"), json!({}), &options(LimitOverrides::default()));
    run().result.expect("a value");
    while engine.pool().ready < count {
        std::thread::sleep(Duration::from_millis(5));
    }
    let own = std::process::id().to_string();
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("proc").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if name != own && String::from_utf8_lossy(&command).contains("__skills-worker\0python") {
            let rollup = std::fs::read_to_string(entry.path().join("smaps_rollup")).unwrap_or_default();
            let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
            all.extend(pss.and_then(|pss| pss.split_whitespace().next()?.parse::<u64>().ok()));
        }
    }
    let sum: u64 = all.iter().sum();
    println!(
        "idle Python workers: {count} in {} processes hold {} KiB: {} a GiB",
        all.len(),
        sum,
        (1 << 20) * count as u64 / sum.max(1)
    );
}

fn others() {
    let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().expect("python3");
    let python = String::from_utf8_lossy(&python.stdout).trim().to_owned();
    show("python3 -c 'print(1 + 1)'", times(20, || drop(Command::new(&python).args(["-c", "print(1 + 1)"]).output())));
    let Some(monty) = std::env::var_os("SKILLS_MONTY_PYTHON") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/monty.py");
    let output = Command::new(monty).args([script, "300"]).output().expect("it starts");
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    println!("pydantic-monty: {figures:#}");
}
