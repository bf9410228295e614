//! One thread for the whole process that looks at children while they run: memory, processes, CPU time, deadlines.
//!
//! What the kernel holds by itself (a group's limits, those of a process) needs no look; this is for the rest, and tells the
//! reasons apart.

use super::cgroup::Group;
use super::child::Tree;
use super::payload::Reason;
use super::rest;
use super::tree;
use rustix::process::{Pid, Signal, kill_process};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// What a child is held to while it is watched.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Memory of it and of what it starts, in bytes, above what it had when the watch began where that is `relative`.
    pub memory: Option<u64>,
    /// Whether memory counts from what the child had when the watch began.
    pub relative: bool,
    /// Processes and threads at once.
    pub processes: Option<u64>,
    /// CPU time as a share of one processor, in percent.
    pub cpu_percent: Option<u64>,
    /// When it is ended for [`Reason::Deadline`].
    pub deadline: Option<Instant>,
}

/// How far apart two looks are at least, and at most.
const PACE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(20));
/// How fast a tree can take memory, in bytes a millisecond, and start processes: while more is left than fits into the time
/// until the next look, that may be later.
const FASTEST: (u64, u64) = (4 << 20, 20);
/// How far ahead of its share of the processor a child may be before it is stopped, in microseconds: the kernel counts in
/// steps of 10 ms.
const AHEAD: u64 = 10_000;
/// How many processes are looked at where there is no limit on them.
pub(super) const MOST: usize = 4096;

#[derive(Debug, Default)]
struct Table {
    watched: Vec<Arc<Tree>>,
    /// Children in which nothing runs, and which are stopped when that stays so.
    resting: Vec<Weak<Tree>>,
    /// Groups whose processes have not all ended yet.
    graves: Vec<Group>,
    /// When the thread wakes by itself.
    wakes: Option<Instant>,
    started: bool,
}

/// A child's watch as it goes.
#[derive(Debug)]
pub(super) struct Watching {
    watch: Watch,
    base: u64,
    pace: Option<Pace>,
}

/// How a child is kept to its share of the processor.
#[derive(Debug)]
struct Pace {
    since: Instant,
    used: u64,
    stopped: bool,
}

fn watcher() -> &'static (Mutex<Table>, Condvar) {
    static WATCHER: OnceLock<(Mutex<Table>, Condvar)> = OnceLock::new();
    WATCHER.get_or_init(Default::default)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches a child, in place of what it was held to before.
pub(super) fn watch(child: &Arc<Tree>, watch: Watch) {
    let members = [child.id];
    let base = if watch.relative { tree::memory(&members, u64::MAX, false) } else { 0 };
    let paced = lock(&child.group).as_ref().is_some_and(|group| group.paces);
    let pace = watch.cpu_percent.filter(|_| !paced).map(|_| {
        let used = tree::cpu_micros(&members);
        Pace { since: Instant::now(), used, stopped: false }
    });
    if let Some(before) = lock(&child.watching).replace(Watching { watch, base, pace }) {
        before.release(child);
    }
    let mut table = lock(&watcher().0);
    if !table.watched.iter().any(|other| Arc::ptr_eq(other, child)) {
        table.watched.push(Arc::clone(child));
    }
    wake(&mut table);
}

/// Lets a child be.
pub(super) fn forget(child: &Arc<Tree>) {
    let watching = lock(&child.watching).take();
    if let Some(watching) = watching {
        watching.release(child);
        lock(&watcher().0).watched.retain(|other| !Arc::ptr_eq(other, child));
    }
}

/// Removes a group as soon as its processes have ended.
pub(super) fn bury(mut group: Group) {
    if !group.remove() {
        let mut table = lock(&watcher().0);
        table.graves.push(group);
        wake(&mut table);
    }
}

/// Has a child stopped at a moment, if nothing runs in it by then.
pub(super) fn list_resting(child: &Arc<Tree>, at: Instant) {
    let mut table = lock(&watcher().0);
    table.resting.push(Arc::downgrade(child));
    wake_at(&mut table, at);
}

fn wake(table: &mut Table) {
    wake_at(table, Instant::now() + PACE.0);
}

fn wake_at(table: &mut Table, next: Instant) {
    if !table.started {
        table.started = std::thread::Builder::new().name("skills-children".into()).spawn(run).is_ok();
    }
    if table.wakes.is_none_or(|wakes| wakes > next) {
        table.wakes = Some(next);
        watcher().1.notify_one();
    }
}

fn run() {
    loop {
        let (watched, mut resting) = {
            let mut table = lock(&watcher().0);
            table.wakes = None;
            table.graves.retain_mut(|group| !group.remove());
            (table.watched.clone(), std::mem::take(&mut table.resting))
        };
        // The table is open while the kernel is asked.
        let next = watched.iter().filter_map(look).min();
        drop(watched);
        let mut stops = None;
        resting.retain(|child| match child.upgrade().and_then(|child| rest::stop_if_due(&child)) {
            Some(due) => {
                stops = Some(stops.map_or(due, |stops: Instant| stops.min(due)));
                true
            }
            None => false,
        });
        let mut table = lock(&watcher().0);
        table.resting.append(&mut resting);
        let graves = (!table.graves.is_empty()).then(|| Instant::now() + PACE.1);
        table.wakes = [table.wakes, next, graves, stops].into_iter().flatten().min();
        let changed = &watcher().1;
        // Spurious wakes only look too early.
        drop(match table.wakes {
            Some(wakes) => {
                let wait = wakes.saturating_duration_since(Instant::now());
                changed.wait_timeout(table, wait).unwrap_or_else(PoisonError::into_inner).0
            }
            None => changed.wait(table).unwrap_or_else(PoisonError::into_inner),
        });
    }
}

/// Looks at a child, ends it where it has too much, and says when to look again.
fn look(child: &Arc<Tree>) -> Option<Instant> {
    lock(&child.watching).as_mut()?.look(child)
}

impl Watching {
    fn look(&mut self, child: &Tree) -> Option<Instant> {
        let now = Instant::now();
        let Watch { memory, processes, cpu_percent, deadline, .. } = self.watch;
        if deadline.is_some_and(|deadline| deadline <= now) {
            child.kill(Reason::Deadline, 0);
        }
        if memory.is_none() && processes.is_none() && cpu_percent.is_none() {
            return deadline;
        }
        let most = processes.and_then(|most| usize::try_from(most).ok()).map_or(MOST, |most| most.saturating_add(64));
        let members = tree::members(child.id, most);
        let mut pace = PACE.1;
        if let Some(limit) = memory {
            let copying = child.copying.load(Ordering::Acquire);
            let held = tree::memory(&members, limit.saturating_add(self.base), copying);
            let held = held.saturating_sub(self.base);
            child.peak.fetch_max(held, Ordering::Relaxed);
            if held > limit {
                child.kill(Reason::Memory, held);
            }
            pace = pace.min(Duration::from_millis((limit.saturating_sub(held)) / FASTEST.0));
        }
        if let Some(limit) = processes {
            let counted = if child.attended { members.get(1..).unwrap_or_default() } else { &members[..] };
            let tasks = tree::tasks(counted);
            if tasks > limit {
                child.kill(Reason::Processes, tasks);
            }
            pace = pace.min(Duration::from_millis((limit.saturating_sub(tasks)) / FASTEST.1));
        }
        if let (Some(percent), Some(own)) = (cpu_percent, &mut self.pace) {
            own.keep(percent, &members);
            pace = PACE.0;
        }
        let next = now + pace.max(PACE.0).max(now.elapsed() * 4);
        Some(deadline.map_or(next, |deadline| deadline.min(next)).max(now + PACE.0))
    }

    fn release(&self, child: &Tree) {
        if self.pace.as_ref().is_some_and(|pace| pace.stopped) {
            signal(&tree::members(child.id, MOST), Signal::CONT);
        }
    }
}

impl Pace {
    /// Stops a tree that has had more than its share, and lets it go on once it has no more than that.
    fn keep(&mut self, percent: u64, members: &[u32]) {
        let used = tree::cpu_micros(members).saturating_sub(self.used);
        let elapsed = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let share = elapsed.saturating_mul(percent) / 100;
        if used > share.saturating_add(AHEAD) {
            // Again at each look: a process may have been started while the others were stopped.
            self.stopped = true;
            signal(members, Signal::STOP);
        } else if self.stopped && used <= share {
            self.stopped = false;
            signal(members, Signal::CONT);
        }
    }
}

/// Sends a signal to processes.
pub(super) fn signal(members: &[u32], signal: Signal) {
    for id in members.iter().filter_map(|id| Pid::from_raw(i32::try_from(*id).ok()?)) {
        let _ = kill_process(id, signal);
    }
}
