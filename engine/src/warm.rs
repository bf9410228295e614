//! Interpreter sessions that are kept for the next run of the same skill.
//!
//! A session is bound to its thread, so each thread keeps its own few. One is used again only for the same engine, the
//! same table of functions, the same skill digest, the same grants and the same caller.

use crate::secrets::Seen;
use skills_core::{Language, Session};
use std::cell::RefCell;

/// How many sessions a thread keeps. A JavaScript runtime takes a few megabytes, so not many.
const KEPT: usize = 8;

/// What two runs must have in common to share a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// The engine, by a number that is never used twice in a process.
    pub(crate) engine: u64,
    /// The version of the engine's table of functions.
    pub(crate) functions: u64,
    pub(crate) language: Language,
    /// The skill's digest, and which of its scripts.
    pub(crate) digest: String,
    pub(crate) grants: skills_core::Grants,
    pub(crate) caller: String,
}

struct Kept {
    key: Key,
    session: Box<dyn Session>,
    /// The secrets that its runs met, which its scripts may have kept.
    seen: Seen,
}

thread_local! {
    /// Most recently used last.
    static SESSIONS: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Takes the session of a key, with the secrets that it met, so that a nested run of the same skill opens one of its own.
pub(crate) fn take(key: &Key) -> Option<(Box<dyn Session>, Seen)> {
    SESSIONS
        .try_with(|sessions| {
            let mut sessions = sessions.try_borrow_mut().ok()?;
            let at = sessions.iter().rposition(|kept| kept.key == *key)?;
            let Kept { session, seen, .. } = sessions.remove(at);
            Some((session, seen))
        })
        .ok()
        .flatten()
}

/// Keeps a session for the next run; `alive` says whether an engine still exists.
pub(crate) fn keep(key: Key, session: Box<dyn Session>, seen: Seen, alive: impl Fn(u64) -> bool) {
    if !session.reusable() {
        return;
    }
    let mut dropped = Vec::new();
    // Where the thread is ending, the session is dropped here.
    let kept = SESSIONS.try_with(|sessions| {
        let Ok(mut sessions) = sessions.try_borrow_mut() else { return };
        let (live, dead) = std::mem::take(&mut *sessions).into_iter().partition(|kept| alive(kept.key.engine));
        *sessions = live;
        dropped = dead;
        if sessions.len() >= KEPT {
            dropped.push(sessions.remove(0));
        }
        sessions.push(Kept { key, session, seen });
    });
    // Dropping a session may run the interpreter's own code: never while the table is borrowed.
    drop((kept, dropped));
}
