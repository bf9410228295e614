use super::cgroup::Group;
use super::family::Family;
use super::payload::{Ended, Reason, Status};
use super::rest::{self, Rest};
use super::start::{ended, readable};
use super::tree;
use super::watch::{self, Watch, Watching};
use super::wire::{self, Exit, Report};
use crate::{Cage, Programs, caps};
use rustix::process::{Pid, Signal, kill_process, pidfd_send_signal};
use skills_core::{ErrorKind, Failure};
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long a child may take until it is confined: it takes a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A confined process, and with it everything that it starts. Dropping it ends them all.
#[derive(Debug)]
pub struct Child {
    tree: Arc<Tree>,
    /// Locked by whoever waits for the end.
    line: Mutex<OwnedFd>,
    proxy: Option<TcpListener>,
    /// What it is a member of. Dropped last.
    family: Option<Arc<Family>>,
}

/// Ends a child from anywhere: from another thread, from an interruption.
#[derive(Debug, Clone)]
pub struct Killer {
    tree: Arc<Tree>,
}

/// While it lives, the child makes a copy of itself, which is not counted as if it shared nothing.
#[derive(Debug)]
pub(crate) struct Copying(Arc<Tree>);

impl Drop for Copying {
    fn drop(&mut self) {
        self.0.copying.store(false, Ordering::Release);
    }
}

/// What the host knows of a child.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) pidfd: OwnedFd,
    pub(super) id: u32,
    reason: AtomicU8,
    reading: AtomicU64,
    pub(super) peak: AtomicU64,
    /// Its first process only attends to a program.
    pub(super) attended: bool,
    pub(super) group: Mutex<Option<Group>>,
    pub(super) watching: Mutex<Option<Watching>>,
    /// It can start no process.
    pub(super) starts_none: bool,
    /// The host has it make a copy of itself just now.
    pub(super) copying: AtomicBool,
    pub(super) rest: Mutex<Rest>,
    ended: OnceLock<Ended>,
}

impl Child {
    /// Takes a child from its line, once it is confined, and lets it go.
    pub(super) fn accept(line: OwnedFd, cage: &Cage, attended: bool) -> Result<Child, Failure> {
        let (mut tree, mut proxy, mut confined) = (None, None, false);
        while tree.is_none() || !confined {
            if !readable(&line, PATIENCE) {
                return Err(broken("it does not answer"));
            }
            let report = wire::receive_report(line.as_fd()).map_err(|error| broken(&error.to_string()))?;
            match report {
                Some((Report::Forked, fds)) => {
                    let pidfd = fds.into_iter().next().ok_or_else(|| broken("it has no descriptor"))?;
                    tree = Some(Arc::new(Tree::count(pidfd, cage, attended)?));
                    go(&line);
                }
                Some((Report::Confined, fds)) => {
                    confined = true;
                    proxy = fds.into_iter().next().map(TcpListener::from);
                }
                Some((Report::Refused(failure), _)) => return Err(failure),
                Some((Report::Ended(exit), _)) => {
                    return Err(broken(&format!("it ended with status {:#x}", exit.status)));
                }
                None => return Err(ended()),
            }
        }
        let tree = tree.ok_or_else(|| broken("it is not there"))?;
        Ok(Child { tree, line: Mutex::new(line), proxy, family: None })
    }

    /// A member of a family.
    pub(super) fn member(tree: Arc<Tree>, line: OwnedFd, family: Arc<Family>) -> Child {
        Child { tree, line: Mutex::new(line), proxy: None, family: Some(family) }
    }

    /// What it is a member of.
    pub(crate) fn family(&self) -> Option<&Arc<Family>> {
        self.family.as_ref()
    }

    /// Its process, as the host numbers it.
    pub fn id(&self) -> u32 {
        self.tree.id
    }

    /// Its process, as a descriptor; readable once it has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.tree.pidfd.as_fd()
    }

    /// The listener of the proxy on its loopback interface, where the network is granted. Given out once.
    pub fn take_proxy(&mut self) -> Option<TcpListener> {
        self.proxy.take()
    }

    /// Ends it and all that it started. Returns at once; the first reason stays.
    pub fn kill(&self, reason: Reason) {
        self.tree.kill(reason, 0);
    }

    /// What can end it from elsewhere.
    pub fn killer(&self) -> Killer {
        Killer { tree: Arc::clone(&self.tree) }
    }

    /// Holds it to this from now on, in place of what it was held to before.
    pub fn watch(&self, watch: Watch) {
        watch::watch(&self.tree, watch);
    }

    /// Lets it be, as long as nothing runs in it.
    pub fn unwatch(&self) {
        watch::forget(&self.tree);
    }

    /// Nothing is to run in it until it is told so: if that stays so for a moment, it is stopped, and all that it started.
    pub fn rest(&self) {
        rest::begin(&self.tree);
    }

    /// The host has it make a copy of itself, until this is dropped.
    pub(crate) fn copying(&self) -> Copying {
        self.tree.copying.store(true, Ordering::Release);
        Copying(Arc::clone(&self.tree))
    }

    /// Something is going to run in it.
    pub fn stir(&self) {
        rest::end(&self.tree);
    }

    /// The memory that it holds now, in bytes, without what files back.
    pub fn memory(&self) -> u64 {
        tree::memory(&tree::members(self.tree.id, 4096), u64::MAX, false)
    }

    /// The most memory that its first process held at once, in bytes, with what files back.
    pub fn peak(&self) -> u64 {
        tree::peak(self.tree.id).max(self.tree.peak.load(Ordering::Relaxed))
    }

    /// The most memory that a watch has seen since it was asked last.
    pub fn take_peak(&self) -> u64 {
        self.tree.peak.swap(0, Ordering::Relaxed)
    }

    /// CPU time of it and of what it started and has waited for. The kernel counts in steps of 10 ms.
    pub fn cpu(&self) -> Duration {
        Duration::from_micros(tree::cpu_micros(&tree::members(self.tree.id, 4096)))
    }

    /// Waits until it has ended.
    pub fn wait(&self) -> Ended {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = self.tree.ended.get() {
            return *ended;
        }
        let exit = loop {
            match wire::receive_report(line.as_fd()) {
                Ok(Some((Report::Ended(exit), _))) => break Some(exit),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break None,
            }
        };
        watch::forget(&self.tree);
        let ended = self.tree.end(exit);
        *self.tree.ended.get_or_init(|| ended)
    }

    /// How it ended, if it has; waits no longer than told.
    pub fn wait_for(&self, patience: Duration) -> Option<Ended> {
        if self.tree.ended.get().is_none() {
            let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
            if !readable(&line, patience) {
                return None;
            }
        }
        Some(self.wait())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.tree.ended.get().is_none() {
            self.tree.kill(Reason::Finished, 0);
            watch::forget(&self.tree);
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if self.ended.get().is_none() {
            self.kill(Reason::Finished, 0);
        }
        self.bury();
    }
}

impl Killer {
    /// Ends the child and all that it started. Returns at once; the first reason stays.
    pub fn kill(&self, reason: Reason) {
        self.tree.kill(reason, 0);
    }
}

impl Killer {
    /// Interrupts the program, and all that it started, as Ctrl-C does.
    pub fn interrupt(&self) {
        let attendant = usize::from(self.tree.attended);
        for id in tree::members(self.tree.id, 4096).iter().skip(attendant) {
            if let Some(id) = i32::try_from(*id).ok().and_then(Pid::from_raw) {
                let _ = kill_process(id, Signal::INT);
            }
        }
    }
}

impl Tree {
    /// A child that waits to be let go, put where it is counted.
    pub(super) fn count(pidfd: OwnedFd, cage: &Cage, attended: bool) -> Result<Tree, Failure> {
        let id = process_id(&pidfd).ok_or_else(|| broken("it has ended"))?;
        let mut group = None;
        // A process that can start no other, and may use what there is of the processor, is held well enough by itself; but its
        // threads, where the kernel does not count them.
        let uncounted = cage.processes.is_some() && !caps::counts_processes();
        if attended || cage.programs != Programs::None || cage.cpu_percent.is_some() || uncounted {
            group = Group::make(cage);
        }
        if let Some(group) = &mut group {
            group.join(id);
        }
        Ok(Tree {
            pidfd,
            id,
            reason: AtomicU8::new(0),
            reading: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            attended,
            group: Mutex::new(group),
            watching: Mutex::default(),
            starts_none: !attended && cage.programs == Programs::None,
            copying: AtomicBool::new(false),
            rest: Mutex::default(),
            ended: OnceLock::new(),
        })
    }

    /// Has its group frozen, or go on; says whether there is one that can be.
    pub(super) fn frozen(&self, frozen: bool) -> bool {
        let group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        group.as_ref().is_some_and(|group| group.freeze(frozen))
    }

    /// Removes its group, now or as soon as everything in it has ended.
    fn bury(&self) {
        let group = self.group.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(group) = group {
            watch::bury(group);
        }
    }

    pub(super) fn kill(&self, reason: Reason, reading: u64) {
        if self.reason.compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.reading.store(reading, Ordering::Release);
        }
        // It is the first process of its namespace: the kernel ends all others with it.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    fn end(&self, exit: Option<Exit>) -> Ended {
        let starved =
            self.group.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(Group::out_of_memory);
        self.bury();
        let status = match exit.map(|exit| exit.status) {
            None => Status::Lost,
            Some(status) if libc::WIFSIGNALED(status) => Status::Signalled(libc::WTERMSIG(status)),
            Some(status) => Status::Exited(libc::WEXITSTATUS(status)),
        };
        // A child that ended by itself before it was killed was not ended by the host.
        let killed = matches!(status, Status::Signalled(libc::SIGKILL) | Status::Lost);
        let reason = self::reason(self.reason.load(Ordering::Acquire)).filter(|_| killed);
        let reason = reason.or(starved.then_some(Reason::Memory));
        let reading = Some(self.reading.load(Ordering::Acquire)).filter(|reading| *reading > 0 && reason.is_some());
        Ended {
            status,
            reason,
            reading,
            cpu: Duration::from_micros(exit.map_or(0, |exit| exit.cpu_micros)),
            peak_memory: self.peak.load(Ordering::Relaxed).max(exit.map_or(0, |exit| exit.peak)),
        }
    }
}

/// The reason of a number that was made by `as u8`.
fn reason(number: u8) -> Option<Reason> {
    use Reason::{Cancelled, Deadline, Finished, Memory, Output, Processes};
    [Deadline, Memory, Output, Processes, Cancelled, Finished].into_iter().find(|reason| *reason as u8 == number)
}

/// Lets a child go on once it is where it is counted. One that has ended by now is found out by whoever waits for it.
fn go(line: &OwnedFd) {
    let _ = rustix::net::send(line, &[1], rustix::net::SendFlags::NOSIGNAL);
}

/// The host's number of a process that a descriptor stands for.
#[expect(
    clippy::disallowed_methods,
    reason = "the kernel tells about the descriptors of a process in its own folder of /proc"
)]
fn process_id(pidfd: &OwnedFd) -> Option<u32> {
    use std::os::fd::AsRawFd;
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    line.trim().parse().ok().filter(|id| *id > 0)
}

fn broken(what: &str) -> Failure {
    Failure::new(ErrorKind::Crashed, format!("a worker could not be confined: {what}"))
        .with_help("`skills doctor` shows what this machine can confine")
}
