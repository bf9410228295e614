//! Which session waits for which, so that none waits for itself.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

thread_local! {
    /// The session whose work this thread does.
    static OWN: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Sessions that wait, each with the one that it waits for.
static WAITS: Mutex<Option<HashMap<u64, u64>>> = Mutex::new(None);

fn waits() -> MutexGuard<'static, Option<HashMap<u64, u64>>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, this thread does a session's work.
pub(crate) struct On(Option<u64>);

impl On {
    pub(crate) fn thread_of(session: u64) -> On {
        On(OWN.replace(Some(session)))
    }
}

impl Drop for On {
    fn drop(&mut self) {
        OWN.set(self.0);
    }
}

/// While it lives, the session of this thread waits for another one.
pub(crate) struct Waiting(Option<u64>);

/// Says that this thread waits for a session from now on; `None` where that one waits for this thread's, by however many others.
pub(crate) fn wait(session: u64) -> Option<Waiting> {
    let Some(own) = OWN.get() else { return Some(Waiting(None)) };
    let mut waits = waits();
    let waits = waits.get_or_insert_default();
    let mut at = Some(session);
    while let Some(next) = at {
        if next == own {
            return None;
        }
        at = waits.get(&next).copied();
    }
    waits.insert(own, session);
    Some(Waiting(Some(own)))
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let (Some(own), Some(waits)) = (self.0, waits().as_mut()) {
            waits.remove(&own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_of_waiting_sessions_is_seen() {
        let other = std::thread::spawn(|| {
            let _on = On::thread_of(1_000_002);
            std::mem::forget(wait(1_000_003));
        });
        other.join().unwrap();
        let _on = On::thread_of(1_000_001);
        assert!(wait(1_000_001).is_none());
        assert!(wait(1_000_002).is_some());
        drop(_on);
        let _on = On::thread_of(1_000_003);
        assert!(wait(1_000_002).is_none());
        assert!(wait(1_000_004).is_some());
    }
}
