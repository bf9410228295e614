//! What each limit is worth in a confined process of this machine.
//!
//! A process that runs at all has every layer on, or it would have been ended. What differs between machines is what stands
//! behind the limits on a tree of processes: the kernel, where this program may make control groups, else the host's watch.

use crate::Cage;
use crate::entry::COMMAND;
use crate::zygote::{Payload, Reason, Watch, Zygote, Zygotes, cgroup};
use skills_core::{CapStatus, Enforcement, Failure, Grants, LimitName, Limits};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The time of a process whose end is tried, and how long that may take.
const SOON: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(2);

/// What the kernel holds by itself on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kernel {
    /// Control groups: memory, processes, a share of the processor.
    groups: [bool; 3],
    /// The number of processes and threads of one user.
    counts: bool,
}

impl Kernel {
    /// As it was found by trying, once.
    fn found() -> Kernel {
        static FOUND: OnceLock<Kernel> = OnceLock::new();
        *FOUND.get_or_init(|| Kernel { groups: cgroup::holds(), counts: counts_processes() })
    }
}

/// Whether the kernel counts the processes of this program's user: it does not for its user 0.
pub(crate) fn counts_processes() -> bool {
    !rustix::process::geteuid().is_root()
}

/// What became of limits when a throw-away process went beyond each.
#[derive(Debug, Clone)]
pub struct Tried(Vec<(LimitName, bool, String)>);

impl Tried {
    /// Goes beyond limits in throw-away processes of the executable, each confined as a worker is.
    ///
    /// # Errors
    /// `unavailable` where the executable is none of a worker, or where this machine cannot confine one.
    pub fn out(zygotes: &Zygotes) -> Result<Tried, Failure> {
        let mut tried = Zygote::try_limits(zygotes.executable())?;
        // A child of the kind of programs waits until it is ended.
        let child = zygotes.fork(COMMAND, &Cage::new(Grants::NONE, &Limits::none()), Payload::Serve, Vec::new())?;
        child.watch(Watch { deadline: Some(Instant::now() + SOON), ..Watch::default() });
        let ended = child.wait_for(PATIENCE).is_some_and(|ended| ended.reason == Some(Reason::Deadline));
        let detail = if ended { "a process that waited was ended" } else { "a process outlived its time" };
        tried.extend([LimitName::Time, LimitName::Wall].map(|name| (name, ended, detail.to_owned())));
        Ok(Tried(tried))
    }

    /// Corrects what is known by what was found.
    pub fn correct(&self, caps: &mut [CapStatus]) {
        for cap in caps.iter_mut() {
            let Some((_, held, found)) = self.0.iter().find(|(name, ..)| *name == cap.name) else { continue };
            if !held {
                cap.status = Enforcement::Unavailable;
            }
            cap.detail = format!("{}; tried: {found}", cap.detail);
        }
    }
}

/// What the limits are worth for a program, and for all that it starts.
pub fn of_programs() -> Vec<CapStatus> {
    let mut caps = tree(Kernel::found(), true);
    caps.extend([
        cap(LimitName::Operations, Enforcement::Unavailable, "nothing counts what a program does"),
        cap(LimitName::Recursion, Enforcement::Unavailable, "nothing counts the calls of a program"),
        cap(LimitName::Output, Enforcement::Enforced, "the host stops reading, and ends the program"),
        cap(LimitName::Result, Enforcement::Enforced, "the result is what it prints, of which the host reads no more"),
        cap(LimitName::HostCalls, Enforcement::Enforced, "counted by the host"),
    ]);
    caps.sort_by_key(|cap| cap.name);
    caps
}

/// What they are worth for an interpreter in a worker, of which `local` is what it holds by itself; `starts` says whether its
/// scripts may start programs.
pub fn of_interpreter(local: Vec<CapStatus>, starts: bool) -> Vec<CapStatus> {
    let mut caps = tree(Kernel::found(), starts);
    caps.extend(of_session(local));
    caps.sort_by_key(|cap| cap.name);
    caps
}

/// What the frames of a session hold, and what its interpreter holds by itself.
pub(crate) fn of_session(local: Vec<CapStatus>) -> impl Iterator<Item = CapStatus> {
    let known = |cap: &CapStatus| matches!(cap.name, LimitName::Operations | LimitName::Recursion);
    local.into_iter().filter(known).chain([
        cap(LimitName::Output, Enforcement::Enforced, "counted by the worker, and again by the host"),
        cap(LimitName::Result, Enforcement::Enforced, "the host reads no longer frame"),
        cap(LimitName::HostCalls, Enforcement::Enforced, "counted by the host"),
    ])
}

/// What the operating system and the host hold.
fn tree(kernel: Kernel, starts: bool) -> Vec<CapStatus> {
    use Enforcement::{BestEffort, Enforced};
    let [memory, processes, cpu] = kernel.groups;
    let ended = "the host ends it, with all that it started, if it does not stop by itself";
    vec![
        cap(LimitName::Time, Enforced, ended),
        cap(LimitName::Wall, Enforced, ended),
        match (memory, starts) {
            (_, false) => {
                cap(LimitName::Memory, Enforced, "the kernel bounds its one process; the host's watch comes first")
            }
            (true, _) => cap(LimitName::Memory, Enforced, "by a control group; the host's watch comes first"),
            (false, _) => cap(
                LimitName::Memory,
                BestEffort,
                "the kernel bounds each process, and the host watches all of them: many can pass it between two looks",
            ),
        },
        match (processes, kernel.counts) {
            (true, _) => cap(LimitName::Processes, Enforced, "by a control group"),
            (_, true) => cap(LimitName::Processes, Enforced, "the kernel counts those of the user"),
            _ => cap(
                LimitName::Processes,
                BestEffort,
                "the kernel does not count those of its user 0, and no control group may be made: the host counts, and ends \
                 what has too many",
            ),
        },
        match cpu {
            true => cap(LimitName::CpuPercent, Enforced, "by the quota of a control group"),
            false => cap(
                LimitName::CpuPercent,
                BestEffort,
                "no control group may be made: the host stops and continues all its processes",
            ),
        },
        cap(LimitName::Disk, Enforced, "its private temporary folders hold no more"),
        cap(LimitName::FileSize, Enforced, "the kernel bounds each file"),
    ]
}

pub(crate) fn cap(name: LimitName, status: Enforcement, detail: &str) -> CapStatus {
    CapStatus { name, status, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(caps: &[CapStatus], name: LimitName) -> Enforcement {
        caps.iter().find(|cap| cap.name == name).unwrap().status
    }

    #[test]
    fn what_the_kernel_does_not_hold_is_best_effort() {
        use Enforcement::{BestEffort, Enforced};
        let alone = Kernel { groups: [false; 3], counts: false };
        let user = Kernel { counts: true, ..alone };
        let grouped = Kernel { groups: [true; 3], counts: false };
        let names = [LimitName::Memory, LimitName::Processes, LimitName::CpuPercent];
        for (kernel, starts, expected) in [
            (alone, true, [BestEffort, BestEffort, BestEffort]),
            (alone, false, [Enforced, BestEffort, BestEffort]),
            (user, true, [BestEffort, Enforced, BestEffort]),
            (grouped, true, [Enforced, Enforced, Enforced]),
        ] {
            let caps = tree(kernel, starts);
            assert_eq!(names.map(|name| status(&caps, name)), expected, "{kernel:?} {starts}");
            assert_eq!(status(&caps, LimitName::Time), Enforced);
        }
    }

    #[test]
    fn what_did_not_hold_when_it_was_tried_is_unavailable() {
        let mut caps = tree(Kernel { groups: [true; 3], counts: true }, false);
        Tried(vec![(LimitName::Disk, false, "it took 9 MB".into())]).correct(&mut caps);
        assert_eq!(status(&caps, LimitName::Disk), Enforcement::Unavailable);
        assert_eq!(status(&caps, LimitName::FileSize), Enforcement::Enforced);
        assert!(caps.iter().any(|cap| cap.detail.ends_with("tried: it took 9 MB")), "{caps:?}");
    }

    #[test]
    fn every_limit_is_spoken_of_once() {
        let local = ["operations", "recursion"].map(|name| {
            let name = serde_json::from_value(serde_json::json!(name)).unwrap();
            cap(name, Enforcement::BestEffort, "of its own")
        });
        for caps in [of_programs(), of_interpreter(local.to_vec(), true)] {
            assert_eq!(caps.len(), 12, "{caps:?}");
            assert!(caps.windows(2).all(|pair| pair[0].name < pair[1].name), "{caps:?}");
        }
        let caps = of_interpreter(local.to_vec(), false);
        assert_eq!(status(&caps, LimitName::Operations), Enforcement::BestEffort);
    }
}
