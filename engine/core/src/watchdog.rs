//! One thread for the whole process that stops runs whose time is up.
//!
//! Arming is two uncontended locks and no system call in the usual case: the thread is only woken when the new deadline
//! is earlier than the one it sleeps for.

use crate::Budget;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

struct Watchdog {
    table: Mutex<Table>,
    changed: Condvar,
}

/// What is watched. Its owner keeps it to itself.
#[derive(Default)]
struct Table {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    /// When the thread wakes by itself; `None`: not before it is told.
    wakes: Option<Instant>,
    started: bool,
}

struct Entry {
    budget: Arc<Budget>,
    due: Instant,
}

/// While it lives, its budget is watched.
pub struct Watch {
    slot: Option<usize>,
}

fn watchdog() -> &'static Watchdog {
    static WATCHDOG: OnceLock<Watchdog> = OnceLock::new();
    WATCHDOG.get_or_init(|| Watchdog { table: Mutex::default(), changed: Condvar::new() })
}

fn table() -> MutexGuard<'static, Table> {
    watchdog().table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long an interruption from elsewhere may stay unanswered before it is repeated.
const UNLIMITED_LOOK: Duration = Duration::from_millis(250);

/// The instant that lies this far ahead; a time that no clock reaches is looked at now and then.
fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now + UNLIMITED_LOOK)
}

/// Watches a budget until the guard is dropped.
pub fn watch(budget: &Arc<Budget>) -> Watch {
    // A run without a time limit is looked at now and then all the same, so that a cancellation which the script
    // caught is repeated.
    let due = after(budget.remaining().unwrap_or(UNLIMITED_LOOK));
    let mut table = table();
    if !table.started {
        table.started = std::thread::Builder::new().name("skills-watchdog".into()).spawn(watch_all).is_ok();
    }
    let entry = Some(Entry { budget: Arc::clone(budget), due });
    let slot = match table.free.pop() {
        Some(slot) => {
            table.entries[slot] = entry;
            slot
        }
        None => {
            table.entries.push(entry);
            table.entries.len() - 1
        }
    };
    wake_by(table, due);
    Watch { slot: Some(slot) }
}

/// Looks at a budget again when its time is up, where it is watched and that is earlier than it seemed.
pub(crate) fn look(budget: &Arc<Budget>) {
    let Some(left) = budget.remaining() else { return };
    let due = after(left);
    let mut table = table();
    let mut sooner = false;
    for entry in table.entries.iter_mut().flatten().filter(|entry| Arc::ptr_eq(&entry.budget, budget)) {
        sooner |= due < entry.due;
        entry.due = entry.due.min(due);
    }
    if sooner {
        wake_by(table, due);
    }
}

/// Makes sure that the thread looks at a moment.
fn wake_by(mut table: MutexGuard<'_, Table>, due: Instant) {
    if table.wakes.is_none_or(|wakes| due < wakes) {
        table.wakes = Some(due);
        // What it wakes for it finds behind the lock.
        drop(table);
        watchdog().changed.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            let mut table = table();
            let entry = table.entries[slot].take();
            table.free.push(slot);
            // Dropped after the lock: it may be the last owner of the budget, and of what hangs on it.
            drop(table);
            drop(entry);
        }
    }
}

/// Whether the watchdog's thread runs: without it no time limit holds.
pub fn armed() -> bool {
    table().started
}

/// Keeps the watchdog still while its process is forked by the calling thread. See [`Still::in_child`].
pub fn still() -> Still {
    Still(table())
}

/// While it lives, the watchdog holds nothing that a fork could not give back.
pub struct Still(MutexGuard<'static, Table>);

impl Still {
    /// In the new process, which has the calling thread only: the next run starts the watchdog anew.
    pub fn in_child(mut self) {
        self.0.started = false;
        self.0.wakes = None;
    }
}

fn watch_all() {
    let watchdog = watchdog();
    let mut guard = table();
    loop {
        let now = Instant::now();
        let due: Vec<(usize, Arc<Budget>)> = guard
            .entries
            .iter()
            .enumerate()
            .filter_map(|(slot, entry)| entry.as_ref().filter(|e| e.due <= now).map(|e| (slot, Arc::clone(&e.budget))))
            .collect();
        if !due.is_empty() {
            // Interrupting takes a budget's own lock, and dropping a budget may run anything: never under the table's.
            drop(guard);
            let looked: Vec<_> = due
                .into_iter()
                .map(|(slot, budget)| {
                    let again = budget.poll().unwrap_or(UNLIMITED_LOOK);
                    (slot, budget, after(again))
                })
                .collect();
            guard = table();
            for (slot, budget, due) in &looked {
                if let Some(Some(entry)) = guard.entries.get_mut(*slot)
                    && Arc::ptr_eq(&entry.budget, budget)
                {
                    entry.due = *due;
                }
            }
            drop(guard);
            drop(looked);
            guard = table();
        }
        // Where nothing is watched, it sleeps as long as it meant to: whatever comes and is due later need not wake it.
        let meant = guard.wakes.filter(|wakes| *wakes > Instant::now());
        guard.wakes = guard.entries.iter().flatten().map(|entry| entry.due).min().or(meant);
        guard = match guard.wakes {
            Some(wakes) => {
                let wait = wakes.saturating_duration_since(Instant::now());
                watchdog.changed.wait_timeout(guard, wait).unwrap_or_else(PoisonError::into_inner).0
            }
            None => watchdog.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
        };
    }
}
