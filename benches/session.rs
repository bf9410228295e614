//! Sessions: ten feeds of an agent that build on one another, in each language, in process and in a worker; what snapshots and
//! copies of a session cost by its size; what idle ones hold. Beside them pydantic-monty, Jupyter and a pipe to `python3 -i`,
//! where `SKILLS_MONTY_PYTHON` names a Python that has them. `cargo bench --bench session -- agent` measures just that.
#![allow(clippy::expect_used, clippy::disallowed_methods, clippy::print_stdout, missing_docs)]

use serde_json::Value;
use skills::{Engine, EvalOptions, Isolation, Language, RunOptions, Session};
use std::process::Command;
use std::time::{Duration, Instant};

/// Counts what Rhai scripts hold, as in the command.
#[global_allocator]
static ALLOCATOR: skills::CountingAllocator = skills::CountingAllocator;

const ANSWER: &str = "3 orders, total 21.6, biggest B2\n";

fn main() {
    skills::worker_main();
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let parts: [(&str, fn()); 4] = [("agent", agent), ("peers", peers), ("size", size), ("idle", idle)];
    for (part, measure) in parts {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == part) {
            measure();
        }
    }
}

fn engine() -> Engine {
    Engine::builder()
        .reexec()
        .worker(std::env::current_exe().expect("a path"))
        .ready_workers(2)
        .max_sessions(1000)
        .build()
        .expect("an engine")
}

fn open(engine: &Engine, language: Language, isolation: Isolation) -> Session {
    let mut options = RunOptions::default();
    options.isolation = Some(isolation);
    options.limits.memory = Some(1 << 30);
    engine.session(language).options(options).open().expect("a session")
}

fn feeds(language: Language) -> Vec<&'static str> {
    let text = match language {
        Language::Python => include_str!("agent/feeds.py"),
        Language::JavaScript => include_str!("agent/feeds.js"),
        _ => include_str!("agent/feeds.rhai"),
    };
    text.split("###\n").collect()
}

/// All ten; the last one prints the answer.
fn feed(session: &Session, feeds: &[&str]) {
    let mut printed = String::new();
    for code in feeds {
        let outcome = session.evaluate(code, &EvalOptions::default());
        outcome.result.expect("a value");
        printed.push_str(&outcome.stdout);
    }
    assert_eq!(printed, ANSWER);
}

fn agent() {
    for isolation in [Isolation::Worker, Isolation::InProcess] {
        for language in [Language::Python, Language::JavaScript, Language::Rhai] {
            let (engine, feeds) = (engine(), feeds(language));
            let session = open(&engine, language, isolation);
            let what = format!("{language}, {}", isolation.as_str());
            show(&format!("{what}: ten feeds"), times(200, || feed(&session, &feeds)));
            session.close();
            let whole = || {
                let session = open(&engine, language, isolation);
                feed(&session, &feeds);
                session.close();
            };
            let wait = || {
                // A moment for the pool to have one ready again, as a person's next session gives it.
                std::thread::sleep(Duration::from_millis(20));
            };
            whole();
            let mut taken: Vec<Duration> = (0..40)
                .map(|_| {
                    wait();
                    let start = Instant::now();
                    whole();
                    start.elapsed()
                })
                .collect();
            taken.sort();
            show(&format!("{what}: session and ten feeds"), taken);
        }
    }
}

fn peers() {
    let Some(python) = std::env::var_os("SKILLS_MONTY_PYTHON") else {
        println!("peers: left out; SKILLS_MONTY_PYTHON names no Python with pydantic-monty and ipykernel");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/agent/peers.py");
    let output = Command::new(python).args([script, "100"]).output().expect("it starts");
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    println!("peers, in µs: {figures:#}");
}

/// Fills a session with about so many megabytes.
fn fill(language: Language, megabytes: usize) -> String {
    match language {
        Language::Python => format!("data = [bytes([n % 256]) * 1000 for n in range({megabytes} * 1000)]; len(data)"),
        Language::JavaScript => {
            format!(
                "const data = Array.from({{ length: {megabytes} * 1000 }}, (_, n) => String(n).padEnd(1000, 'x')); data.length"
            )
        }
        _ => format!(
            "let data = []; for n in 0..({megabytes} * 1000) {{ let text = `${{n}}`; text.pad(1000, 'x'); data.push(text); }} data.len()"
        ),
    }
}

fn size() {
    let engine = engine();
    for (language, sizes) in
        [(Language::Python, &[1, 10, 50][..]), (Language::JavaScript, &[1, 10][..]), (Language::Rhai, &[1, 10][..])]
    {
        for megabytes in sizes {
            let session = open(&engine, language, Isolation::Worker);
            session.eval(&fill(language, *megabytes)).expect("a value");
            let what = format!("{language}, {megabytes} MB");
            let mut number = 0;
            let copies = times(10, || {
                number += 1;
                let copy = session.fork(&format!("{}-{number}", session.name())).expect("a copy");
                copy.close();
            });
            show(&format!("{what}: fork"), copies);
            let mut bytes = 0;
            let snapshots = times(5, || bytes = session.snapshot().expect("a snapshot").to_bytes().len());
            show(&format!("{what}: snapshot of {bytes} bytes"), snapshots);
            let image = session.snapshot().expect("a snapshot");
            session.close();
            let restored = times(5, || {
                let mut options = RunOptions::default();
                options.isolation = Some(Isolation::Worker);
                engine.restore_session(&image).options(options).open().expect("a session").close();
            });
            show(&format!("{what}: restore"), restored);
        }
    }
}

fn idle() {
    const COUNT: usize = 16;
    let marks = [(Language::Python, "python"), (Language::JavaScript, "javascript"), (Language::Rhai, "rhai")];
    for (language, mark) in marks {
        let engine = engine();
        let sessions: Vec<Session> = (0..COUNT).map(|_| open(&engine, language, Isolation::Worker)).collect();
        for session in &sessions {
            feed(session, &feeds(language));
        }
        let mark = format!("__skills-worker\0{mark}");
        let mut pss = 0_u64;
        for entry in std::fs::read_dir("/proc").expect("proc").flatten() {
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&command).contains(&mark) {
                let rollup = std::fs::read_to_string(entry.path().join("smaps_rollup")).unwrap_or_default();
                let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
                pss += line.and_then(|pss| pss.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
            }
        }
        println!(
            "{language}: {COUNT} idle sessions hold {pss} KiB, the zygote's included: {} a GiB",
            (1 << 20) * COUNT as u64 / pss.max(1)
        );
    }
}

fn times(count: usize, mut call: impl FnMut()) -> Vec<Duration> {
    call();
    let mut all: Vec<Duration> = (0..count)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    all.sort();
    all
}

fn show(what: &str, times: Vec<Duration>) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!("{what}: median {:.0} µs, p99 {:.0} µs", at(0.5), at(0.99));
}
