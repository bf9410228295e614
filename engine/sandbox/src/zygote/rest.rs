//! Children in which nothing runs are stopped: what code has left behind there, a thread or a process, acts while somebody has asked for
//! something, and not in between.
//!
//! A child is stopped once it has rested for a while, so that requests that follow one another pay nothing for it.

use super::child::Tree;
use super::{tree, watch};
use rustix::process::{Signal, pidfd_send_signal};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long a child rests until it is stopped.
const AFTER: Duration = Duration::from_millis(50);

/// Whether something runs in a child.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Since when nothing does.
    since: Option<Instant>,
    /// Whether it is among those that are looked at.
    listed: bool,
    stopped: bool,
}

/// Nothing runs in a child from now on.
pub(super) fn begin(child: &Arc<Tree>) {
    let mut rest = child.rest.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    rest.since = Some(now);
    if !rest.listed {
        rest.listed = true;
        drop(rest);
        watch::list_resting(child, now + AFTER);
    }
}

/// Something is going to run in a child.
pub(super) fn end(child: &Tree) {
    let mut rest = child.rest.lock().unwrap_or_else(PoisonError::into_inner);
    rest.since = None;
    if std::mem::take(&mut rest.stopped) {
        go_on(child);
    }
}

/// Stops a child that has rested for long enough; says when to look again, if ever.
pub(super) fn stop_if_due(child: &Tree) -> Option<Instant> {
    let mut rest = child.rest.lock().unwrap_or_else(PoisonError::into_inner);
    let due = rest.since.map(|since| since + AFTER);
    if due.is_some_and(|due| due > Instant::now()) {
        return due;
    }
    rest.listed = false;
    if due.is_some() {
        rest.stopped = true;
        stop(child);
    }
    None
}

/// Stops all that there is. Where the kernel has no way to stop a whole group at once, processes that go on starting others and
/// waking one another may escape it for a while.
fn stop(child: &Tree) {
    /// How often what has been started meanwhile is looked for.
    const LOOKS: usize = 8;
    if child.starts_none {
        let _ = pidfd_send_signal(&child.pidfd, Signal::STOP);
        return;
    }
    if child.frozen(true) {
        return;
    }
    let mut stopped = Vec::new();
    for _ in 0..LOOKS {
        let members = tree::members(child.id, watch::MOST);
        watch::signal(&members, Signal::STOP);
        if members == stopped {
            break;
        }
        stopped = members;
    }
}

fn go_on(child: &Tree) {
    if child.starts_none {
        let _ = pidfd_send_signal(&child.pidfd, Signal::CONT);
    } else if !child.frozen(false) {
        watch::signal(&tree::members(child.id, watch::MOST), Signal::CONT);
    }
}
