//! What the processes below this one are: those that a case left behind, and what a worker holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A process below this one.
struct Below {
    pid: u32,
    parent: u32,
    name: String,
    /// Its number in each of its process namespaces, from here inwards.
    numbers: Vec<u32>,
    /// What it holds that is no file's, in bytes.
    held: u64,
    zombie: bool,
}

/// The name of the executable of workers.
const WORKER: &str = "skills";

/// What is left of a case: any process that is neither of a zygote nor the first one of a worker's process namespace.
pub(super) fn strays(tier_has_workers: bool) -> Vec<String> {
    let all = below();
    let (own, host) = (own_depth(), std::process::id());
    let stray = |process: &&Below| {
        if !tier_has_workers {
            return true;
        }
        match process.numbers.len().saturating_sub(own) {
            // A zygote is the first one of a namespace, and has one here that waits for it.
            0 => process.parent != host || process.name != WORKER,
            1 => process.numbers.last() != Some(&1),
            _ => process.numbers.last() != Some(&1) && !process.zombie,
        }
    };
    all.iter().filter(stray).map(|process| format!("{} ({})", process.name, process.pid)).collect()
}

/// How many process namespaces this process is in.
fn own_depth() -> usize {
    status(std::process::id()).map_or(1, |own| own.numbers.len())
}

/// Every process below this one.
fn below() -> Vec<Below> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let all: HashMap<u32, Below> = pids.filter_map(|pid| Some((pid, status(pid)?))).collect();
    let host = std::process::id();
    let is_below = |process: &Below| {
        let mut at = process.parent;
        // Parents that end in the meantime break the chain; loops there are none.
        while at > 1 && at != host {
            at = all.get(&at).map_or(0, |parent| parent.parent);
        }
        at == host
    };
    let found: Vec<u32> = all.values().filter(|process| is_below(process)).map(|process| process.pid).collect();
    let mut all = all;
    found.into_iter().filter_map(|pid| all.remove(&pid)).collect()
}

fn status(pid: u32) -> Option<Below> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let kilobytes = |name: &str| {
        let amount = field(name).and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        amount.unwrap_or(0) << 10
    };
    Some(Below {
        pid,
        parent: field("PPid:")?.parse().ok()?,
        name: field("Name:")?.to_owned(),
        numbers: field("NSpid:")?.split_whitespace().filter_map(|number| number.parse().ok()).collect(),
        held: kilobytes("RssAnon:") + kilobytes("RssShmem:"),
        zombie: field("State:").is_some_and(|state| state.starts_with('Z')),
    })
}

/// Watches what workers hold beyond what their zygote gave them, while something runs.
pub(super) struct Watch {
    done: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Watch {
    pub(super) fn start() -> Watch {
        let done = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let mut most = 0;
            while !ended.load(Ordering::Relaxed) {
                most = most.max(largest());
                std::thread::sleep(Duration::from_millis(3));
            }
            most
        });
        Watch { done, thread }
    }

    /// The most that one worker and what it started held.
    pub(super) fn end(self) -> u64 {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// What the largest worker, with all that it started, holds beyond what it got at its fork.
fn largest() -> u64 {
    let all: HashMap<u32, Below> = below().into_iter().map(|process| (process.pid, process)).collect();
    let zygotes = own_depth() + 1;
    let mut trees: HashMap<u32, u64> = HashMap::new();
    for process in all.values().filter(|process| process.numbers.len() > zygotes) {
        let mut top = process;
        while let Some(parent) = all.get(&top.parent).filter(|parent| parent.numbers.len() > zygotes) {
            top = parent;
        }
        let given = all.get(&top.parent).map_or(0, |zygote| zygote.held);
        *trees.entry(top.pid).or_default() += process.held.saturating_sub(given);
    }
    trees.into_values().max().unwrap_or(0)
}

#[test]
fn what_is_left_over_is_found() {
    assert_eq!(strays(false), [""; 0]);
    let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
    for with_workers in [false, true] {
        let found = strays(with_workers);
        assert!(found.len() == 1 && found[0].contains("sleep"), "{found:?}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // In a process namespace of its own, its first process is a worker's, and any other is left over.
    let unshare = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "sh", "-c", "sleep 100 & sleep 100"];
    let mut child = std::process::Command::new("unshare").args(unshare).spawn().unwrap();
    let mut found = Vec::new();
    for _ in 0..200 {
        found = strays(true);
        if found.iter().any(|stray| stray.contains("sleep")) || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    if child.try_wait().unwrap().is_some() {
        return eprintln!("skipped: process namespaces, which are not to be had here");
    }
    assert!(!found.iter().any(|stray| stray.starts_with("sh ")), "{found:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}
