//! Workers that are ready before anybody asks for them.
//!
//! A worker serves one session and is never used again. [`Workers`] keeps a few ready on *shelves*, one for each kind of
//! interpreter, table of functions and [`Cage`](crate::Cage) that was asked for lately; one thread refills them behind
//! whoever takes, and ends those that wait for too long. What is on no shelf is forked on the spot. How many serve at once is
//! bounded, and so is the number of those who wait for their turn. A living session has a worker for as long as it lives, and a turn
//! only while it evaluates.

mod idle;
mod lent;
mod refill;
mod shelf;
mod turns;

pub use crate::settings::{PoolFigures, PoolSettings};
use crate::zygote::Zygotes;
use lent::Lent;
use refill::Shared;
use shelf::Wanted;
use skills_core::{Failure, Host, Language};
use std::sync::Arc;
use turns::Turn;

/// The workers of an engine. Dropping it ends those that are ready.
#[derive(Debug)]
pub struct Workers {
    shared: Arc<Shared>,
}

impl Workers {
    /// Workers that zygotes make. Starts nothing.
    pub fn new(zygotes: Arc<Zygotes>, settings: PoolSettings) -> Workers {
        Workers { shared: Arc::new(Shared::new(zygotes, settings)) }
    }

    /// What makes them.
    pub fn zygotes(&self) -> &Arc<Zygotes> {
        &self.shared.zygotes
    }

    /// How many there may be.
    pub fn settings(&self) -> &PoolSettings {
        &self.shared.settings
    }

    /// What the pool did, and does.
    pub fn figures(&self) -> PoolFigures {
        self.shared.figures()
    }

    /// A session of a language for a host. `kind` is the zygote's; a run that another one waits for is `nested`, and takes
    /// no turn of its own, or they could wait for each other.
    pub(crate) fn open(
        &self,
        kind: &'static str,
        language: Language,
        host: &Arc<dyn Host>,
        nested: bool,
    ) -> Result<Lent, Failure> {
        let turn = if nested { None } else { Some(self.shared.turns.take(host.budget())?) };
        self.lend(Wanted::of(kind, language, host), host, turn, false)
    }

    /// The same for a session that is going to live. It has a turn only while it evaluates: how many there may be is the
    /// engine's to bound.
    pub(crate) fn open_living(
        &self,
        kind: &'static str,
        language: Language,
        host: &Arc<dyn Host>,
    ) -> Result<Lent, Failure> {
        self.lend(Wanted::of(kind, language, host).living(), host, None, true)
    }

    fn lend(&self, wanted: Wanted, host: &Arc<dyn Host>, turn: Option<Turn>, living: bool) -> Result<Lent, Failure> {
        // Making a worker ready is none of the script's time.
        let _pause = host.budget().pause();
        let session = match self.shared.take(&wanted) {
            Some(session) => session,
            None => {
                let session = wanted.start(&self.shared.zygotes, host)?;
                self.shared.count_forked();
                session
            }
        };
        if living {
            Shared::replace(&self.shared, &wanted);
        }
        Ok(Lent::new(session, wanted, &self.shared, turn, living))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.close();
    }
}
