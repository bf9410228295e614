//! Nothing is left: not after many runs, and not after the host was killed.

use crate::forks::{ask, fork, me};
use crate::host::TestHost;
use crate::programs::{bash, limits, processes_with, programs, run};
use crate::test;
use libtest_mimic::Trial;
use skills_core::{End, Limits};
use skills_sandbox::{Reason, Zygote};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("nothing_is_left_of_many_runs", nothing_is_left_of_many_runs),
        test("nothing_is_left_of_a_host_that_was_killed", nothing_is_left_of_a_host_that_was_killed),
    ]
}

/// The first argument of a host that is to be killed.
pub(crate) const HOLD: &str = "__hold";

/// The first argument of a process that runs many times.
pub(crate) const ROUNDS: &str = "__rounds";

/// What a process has of the machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holdings {
    descriptors: usize,
    processes: usize,
    mounts: usize,
    groups: Vec<PathBuf>,
}

impl Holdings {
    pub(crate) fn now() -> Holdings {
        let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
        Holdings {
            descriptors: count("/proc/self/fd"),
            processes: descendants(std::process::id()).len(),
            mounts: std::fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count(),
            groups: groups(std::process::id()),
        }
    }
}

fn descendants(id: u32) -> Vec<u32> {
    let mut all = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().map(|child| child.parse().unwrap()) {
            all.push(child);
            all.extend(descendants(child));
        }
    }
    all
}

/// The control groups of a host.
fn groups(id: u32) -> Vec<PathBuf> {
    fn below(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                match entry.file_name().to_string_lossy().starts_with(name) {
                    true => found.push(entry.path()),
                    false => below(&entry.path(), name, found),
                }
            }
        }
    }
    let mut found = Vec::new();
    below(Path::new("/sys/fs/cgroup"), &format!("skills-{id}-"), &mut found);
    found
}

/// Waits until something is so; what ends asynchronously ends soon.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// In a process of its own: what others have is not counted.
fn nothing_is_left_of_many_runs() {
    let ended = Command::new("/proc/self/exe").arg(ROUNDS).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Many runs, and a look at what is left of them.
pub(crate) fn rounds() {
    let runs: usize = std::env::var("SKILLS_SOAK_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(100);
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    let round = |number: usize| {
        let (child, mut socket) = fork(&zygote);
        assert_eq!(ask(&mut socket, b'w'), [1]);
        match number % 3 {
            0 => drop(child),
            1 => {
                child.kill(Reason::Cancelled);
                child.wait();
            }
            _ => {
                drop(socket);
                child.wait();
            }
        }
        let ran = run(&bash("setsid sleep 60 & exit 3"), &TestHost::granted(limits(), programs())).unwrap();
        assert_eq!(ran.end, End::Exited(3));
        if number.is_multiple_of(10) {
            let limits = Limits { time: Some(Duration::from_millis(30)), ..limits() };
            run(&bash("sleep 60"), &TestHost::granted(limits, programs())).unwrap_err();
        }
    };
    (0..3).for_each(round);
    eventually("the first rounds end", || groups(std::process::id()).is_empty());
    let before = Holdings::now();
    (0..runs).for_each(round);
    eventually(&format!("before: {before:?}, after: {:?}", Holdings::now()), || Holdings::now() == before);
}

/// A host that holds a child and a program until it is killed.
pub(crate) fn hold(mark: &str) {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    let (_child, mut socket) = fork(&zygote);
    socket.write_all(b"s").unwrap();
    let script = format!("setsid sleep {mark} & (setsid setsid sleep {mark} &) ; sleep {mark}");
    let _ = run(&bash(&script), &TestHost::granted(limits(), programs()));
}

fn nothing_is_left_of_a_host_that_was_killed() {
    let mark = format!("33{:05}", std::process::id() % 100_000);
    let mut host = Command::new("/proc/self/exe").args([HOLD, &mark]).spawn().unwrap();
    eventually("the host starts what it holds", || processes_with(&mark) >= 4);
    let held = descendants(host.id());
    assert!(held.len() >= 7, "{held:?}");
    host.kill().unwrap();
    host.wait().unwrap();
    eventually("all end", || processes_with(&mark) == 0);
    eventually("all are collected", || held.iter().all(|id| !Path::new(&format!("/proc/{id}")).exists()));
    // What the kernel does not take away by itself, the next host does.
    run(&bash("exit 0"), &TestHost::granted(limits(), programs())).unwrap();
    assert_eq!(groups(host.id()), Vec::<PathBuf>::new());
}
