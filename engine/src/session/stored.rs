//! What a session is made of, between two pieces of work: on its thread, or where any thread can take it up.

use super::kept::Kept;
use super::living::Living;
use crate::host::FunctionTable;
use crate::secrets::Vault;
use skills_core::{ErrorKind, Failure, OpenSession, Session};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// What holds an interpreter's session, which may be replaced by a new one.
pub(crate) trait Place {
    fn session(&mut self) -> &mut dyn Session;

    fn renew(&mut self, session: OpenSession) -> Result<(), Failure>;
}

/// A session that any thread may use.
pub(crate) type Movable = Box<dyn Session + Send>;

impl Place for OpenSession {
    fn session(&mut self) -> &mut dyn Session {
        &mut **self
    }

    fn renew(&mut self, session: OpenSession) -> Result<(), Failure> {
        *self = session;
        Ok(())
    }
}

impl Place for Movable {
    fn session(&mut self) -> &mut dyn Session {
        &mut **self
    }

    fn renew(&mut self, session: OpenSession) -> Result<(), Failure> {
        match session {
            OpenSession::Anywhere(session) => *self = session,
            OpenSession::Here(_) => {
                return Err(Failure::new(ErrorKind::Internal, "a session cannot move to another tier"));
            }
        }
        Ok(())
    }
}

/// All that a session is made of.
pub(crate) struct Stored<S> {
    pub(crate) session: S,
    /// The functions that it was opened with.
    pub(crate) table: Arc<FunctionTable>,
    /// The secrets that it has met.
    pub(crate) vault: Arc<Vault>,
    /// Where it lies on disk, where it does.
    pub(crate) kept: Option<Kept>,
}

impl<S: Place> Stored<S> {
    /// The session, to do something with.
    pub(crate) fn living(&mut self) -> Living<'_> {
        Living { place: &mut self.session, table: &self.table, vault: &self.vault, kept: &mut self.kept }
    }

    /// The session is over.
    pub(crate) fn over(self) {
        let Stored { session, kept, .. } = self;
        drop(session);
        if let Some(kept) = kept {
            kept.finish();
        }
    }
}

/// Where a session is that any thread may use, while nothing is done with it. Nothing is there once it is over.
#[derive(Clone)]
pub(crate) struct Seat(Arc<Mutex<Option<Stored<Movable>>>>);

/// What was in a seat, while somebody does something with it.
pub(crate) type TakenUp<'a> = MutexGuard<'a, Option<Stored<Movable>>>;

impl Seat {
    /// The session, for whoever has its turn.
    pub(crate) fn take_up(&self) -> TakenUp<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, unless whoever had the turn before is still about to leave it.
    pub(crate) fn try_take_up(&self) -> Option<TakenUp<'_>> {
        match self.0.try_lock() {
            Ok(stored) => Some(stored),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// Where a session rests between two pieces of work, as its thread has it.
pub(crate) enum Resting {
    /// On this thread only.
    Here(Box<Stored<OpenSession>>),
    Anywhere(Seat),
}

impl From<Stored<OpenSession>> for Resting {
    fn from(stored: Stored<OpenSession>) -> Resting {
        let Stored { session, table, vault, kept } = stored;
        match session {
            OpenSession::Anywhere(session) => {
                Resting::Anywhere(Seat(Arc::new(Mutex::new(Some(Stored { session, table, vault, kept })))))
            }
            session => Resting::Here(Box::new(Stored { session, table, vault, kept })),
        }
    }
}

impl Resting {
    /// Where others find it too.
    pub(crate) fn seat(&self) -> Option<Seat> {
        match self {
            Resting::Here(_) => None,
            Resting::Anywhere(seat) => Some(seat.clone()),
        }
    }

    /// Does something with the session.
    pub(crate) fn with(&mut self, work: impl FnOnce(&mut Living<'_>)) {
        match self {
            Resting::Here(stored) => work(&mut stored.living()),
            Resting::Anywhere(seat) => {
                if let Some(stored) = &mut *seat.take_up() {
                    work(&mut stored.living());
                }
            }
        }
    }

    /// The session is over. Waits for what another thread still does with it.
    pub(crate) fn over(self) {
        match self {
            Resting::Here(stored) => stored.over(),
            Resting::Anywhere(seat) => {
                let stored = seat.take_up().take();
                if let Some(stored) = stored {
                    stored.over();
                }
            }
        }
    }
}
