//! The thread of a hub that ends sessions in time. It sleeps until the next one is due, and is gone where none is.

use super::hub::HubInner;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// When to look at the sessions of a hub.
#[derive(Default)]
pub(crate) struct Alarm(Arc<Clock>);

#[derive(Default)]
struct Clock {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether there is a thread.
    runs: bool,
    /// When it rings; the thread looks at once where somebody made this earlier.
    at: Option<Instant>,
    /// Whether the hub is gone.
    over: bool,
}

impl Clock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until it rings. Gives whether there is still something to ring for.
    fn sleep(&self) -> bool {
        let mut state = self.state();
        loop {
            let (Some(at), false) = (state.at, state.over) else {
                state.runs = false;
                return false;
            };
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.at = None;
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Rings then, if not earlier.
    fn ring(&self, due: Instant) -> bool {
        let mut state = self.state();
        if state.at.is_none_or(|at| due < at) {
            state.at = Some(due);
            self.changed.notify_all();
        }
        !std::mem::replace(&mut state.runs, true)
    }
}

impl Alarm {
    /// Has it ring then, if not earlier.
    pub(crate) fn set(&self, due: Instant, hub: &Arc<HubInner>) {
        if !self.0.ring(due) {
            return;
        }
        let (clock, weak) = (Arc::clone(&self.0), Arc::downgrade(hub));
        let thread = move || {
            while clock.sleep() {
                // Held no longer than it takes to look: a hub goes with whoever has it.
                if let Some(next) = weak.upgrade().and_then(|hub| hub.tick()) {
                    clock.ring(next);
                }
            }
        };
        if std::thread::Builder::new().name("skills-sessions".into()).spawn(thread).is_err() {
            // The next request to any session tries again.
            self.0.state().runs = false;
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.changed.notify_all();
    }
}
