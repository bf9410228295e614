//! Control groups: limits of the kernel on a whole tree of processes, where this program may make them.
//!
//! The one hierarchy (version 2) is used where a part of it was delegated, else the older ones of each controller. A group lies
//! where [`places`] found room, is named after this program, and is removed when its processes have ended; those of programs that were
//! killed are removed by the next.
#![expect(clippy::disallowed_methods, reason = "the kernel's interface to control groups is a file tree")]

mod places;

use super::tree;
use crate::Cage;
use places::{CONTROLLERS, places};
use skills_core::Enforcement;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The period of a share of the processor, in microseconds.
const PERIOD: u64 = 50_000;

/// A group of one tree of processes.
#[derive(Debug)]
pub(super) struct Group {
    folders: Vec<PathBuf>,
    /// The kernel holds the share of the processor.
    pub(super) paces: bool,
}

impl Group {
    /// A group that holds its processes to the limits of a cage; none where this program may make none, or none is needed.
    pub(super) fn make(cage: &Cage) -> Option<Group> {
        let places = places();
        let mut group = Group { folders: Vec::new(), paces: false };
        let name = name(std::process::id(), tree::started(std::process::id())?, next());
        if let Some(place) = &places.unified
            && fs::create_dir(place.folder.join(&name)).is_ok()
        {
            let folder = place.folder.join(&name);
            group.limit(&folder, &place.controllers, cage, true);
            group.folders.push(folder);
        }
        for (controller, own) in &places.older {
            let folder = own.join(&name);
            if wanted(controller, cage) && fs::create_dir(&folder).is_ok() {
                group.folders.push(folder.clone());
                group.limit(&folder, &[controller], cage, false);
            }
        }
        Some(group).filter(|group| !group.folders.is_empty())
    }

    fn limit(&mut self, folder: &Path, controllers: &[&str], cage: &Cage, unified: bool) {
        let write = |file: &str, value: String| set(&folder.join(file), &value);
        for controller in controllers {
            match (*controller, unified) {
                ("memory", _) => {
                    let Some(memory) = memory(cage) else { continue };
                    write(if unified { "memory.max" } else { "memory.limit_in_bytes" }, memory.to_string());
                    write("memory.swap.max", "0".into());
                    write("memory.oom.group", "1".into());
                }
                ("pids", _) => {
                    // The process that attends to a program is none of its own.
                    let most = cage.processes.map(|most| most.saturating_add(1).to_string());
                    write("pids.max", most.unwrap_or_else(|| "max".into()));
                }
                ("cpu", true) => {
                    let Some(percent) = cage.cpu_percent else { continue };
                    self.paces = write("cpu.max", format!("{} {PERIOD}", PERIOD * percent / 100));
                }
                ("cpu", false) => {
                    let Some(percent) = cage.cpu_percent else { continue };
                    self.paces = write("cpu.cfs_period_us", PERIOD.to_string())
                        && write("cpu.cfs_quota_us", (PERIOD * percent / 100).max(1000).to_string());
                }
                _ => {}
            }
        }
    }

    /// Puts a process into it, and with it what that will start.
    pub(super) fn join(&mut self, process: u32) {
        let put = |folder: &PathBuf| set(&folder.join("cgroup.procs"), &process.to_string());
        let (joined, left): (Vec<_>, Vec<_>) = self.folders.drain(..).partition(put);
        self.folders = joined;
        for folder in left {
            self.paces = false;
            let _ = fs::remove_dir(folder);
        }
    }

    /// Stops all that is in it, or lets it go on; says whether the kernel does that for it. What is frozen can still be ended.
    pub(super) fn freeze(&self, frozen: bool) -> bool {
        let value = if frozen { "1" } else { "0" };
        self.folders.iter().any(|folder| set(&folder.join("cgroup.freeze"), value))
    }

    /// Whether the kernel ended processes of it for want of memory.
    pub(super) fn out_of_memory(&self) -> bool {
        self.folders.iter().any(|folder| {
            let counts = ["memory.events", "memory.oom_control"]
                .map(|file| fs::read_to_string(folder.join(file)).unwrap_or_default());
            let killed = |text: &String| {
                text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|n| n.trim() != "0"))
            };
            counts.iter().any(killed)
        })
    }

    /// Removes it, if all its processes have ended; says whether it is gone.
    pub(super) fn remove(&mut self) -> bool {
        self.folders.retain(
            |folder| matches!(fs::remove_dir(folder), Err(error) if error.kind() != std::io::ErrorKind::NotFound),
        );
        self.folders.is_empty()
    }
}

/// Writes to a file that the kernel has put there; says whether it took it.
fn set(file: &Path, value: &str) -> bool {
    fs::OpenOptions::new().write(true).open(file).is_ok_and(|mut file| file.write_all(value.as_bytes()).is_ok())
}

/// Whether a controller has anything to do for a cage.
fn wanted(controller: &str, cage: &Cage) -> bool {
    match controller {
        "memory" => cage.memory.is_some(),
        "pids" => cage.processes.is_some(),
        _ => cage.cpu_percent.is_some(),
    }
}

/// Which limits the kernel holds for groups of this program: memory, processes, a share of the processor.
pub(crate) fn holds() -> [bool; 3] {
    let places = places();
    CONTROLLERS.map(|controller| {
        let unified = places.unified.as_ref().is_some_and(|place| place.controllers.contains(&controller));
        unified || places.older.iter().any(|(older, _)| *older == controller)
    })
}

/// The memory of a group. What lies in the temporary folders counts as memory to the kernel, and has a limit of its own; the
/// watch on the tree is closer, and comes first.
fn memory(cage: &Cage) -> Option<u64> {
    let memory = cage.memory?;
    Some(memory.saturating_add(memory / 10).saturating_add(8 << 20).saturating_add(cage.disk.unwrap_or(256 << 20)))
}

/// What was found on this machine, for a person.
pub(crate) fn report() -> (Enforcement, String) {
    let places = places();
    let older: Vec<&str> = places.older.iter().map(|(controller, _)| *controller).collect();
    match &places.unified {
        Some(place) if !place.controllers.is_empty() => (
            Enforcement::Enforced,
            format!("version 2 at {}: {}", place.folder.display(), place.controllers.join(", ")),
        ),
        _ if !older.is_empty() => (Enforcement::Enforced, format!("version 1: {}", older.join(", "))),
        _ => (
            Enforcement::Unavailable,
            "none may be made here: memory and processes are watched instead, and CPU time is held by stopping".into(),
        ),
    }
}

fn name(process: u32, start: u64, number: u64) -> String {
    format!("skills-{process}-{start}-{number}")
}

fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix("skills-")?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_it_is() {
        assert_eq!(owner(&name(12, 345, 6)), Some((12, 345)));
        assert_eq!(owner("skills"), None);
        assert_eq!(owner("skills-a-b-c"), None);
    }
}
