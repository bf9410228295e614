//! The thread that keeps the shelves as they should be.

use super::idle::Idle;
use super::shelf::{Shelf, Shelves, Wanted};
use super::turns::Turns;
use super::{PoolFigures, PoolSettings};
use crate::remote::RemoteSession;
use crate::zygote::Zygotes;
use skills_core::Failure;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a living session has the machine for itself before what it took from the shelf is made anew.
const AFTER_OPENING: Duration = Duration::from_millis(20);

/// What a pool and its thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) zygotes: Arc<Zygotes>,
    pub(crate) settings: PoolSettings,
    pub(crate) turns: Arc<Turns>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    shelves: Shelves,
    /// Workers whose sessions are over.
    done: Vec<RemoteSession>,
    /// Whether the thread is there.
    served: bool,
    closed: bool,
    warm: u64,
    forked: u64,
    expired: u64,
}

impl State {
    /// Makes sure that there is a shelf for something, which is filled at once, or from a moment on; gives what was cleared away
    /// for it.
    fn shelve(&mut self, wanted: &Wanted, rests: Option<Instant>) -> Option<Shelf> {
        let cleared = match self.shelves.find(wanted) {
            Some(_) => None,
            None => self.shelves.add(wanted.clone()),
        };
        if let Some(shelf) = self.shelves.find(wanted) {
            shelf.rests = rests;
        }
        cleared
    }
}

impl Shared {
    pub(crate) fn new(zygotes: Arc<Zygotes>, settings: PoolSettings) -> Shared {
        let turns = Turns::new(settings.most, settings.queue);
        Shared { zygotes, settings, turns, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker that is ready, if one is.
    pub(crate) fn take(&self, wanted: &Wanted) -> Option<RemoteSession> {
        let mut dead = Vec::new();
        let mut state = self.state();
        let shelf = state.shelves.find(wanted)?;
        shelf.asked = Instant::now();
        shelf.broken = false;
        // The one that was ready first: it is the least likely to be in the middle of anything.
        let found = loop {
            match shelf.ready.pop_front() {
                Some((_, session)) if session.is_alive() => break Some(session),
                Some((_, session)) => dead.push(session),
                None => break None,
            }
        };
        state.warm += u64::from(found.is_some());
        drop(state);
        drop(dead);
        found
    }

    pub(crate) fn count_forked(&self) {
        self.state().forked += 1;
    }

    /// Has a worker ended whose session is over, and its place on the shelf filled.
    pub(crate) fn take_back(shared: &Arc<Shared>, session: RemoteSession, wanted: Option<Wanted>) {
        if shared.settings.ready == 0 {
            return;
        }
        let mut state = shared.state();
        if state.closed {
            return;
        }
        let cleared = wanted.and_then(|wanted| state.shelve(&wanted, None));
        state.done.push(session);
        Shared::attend(shared, state);
        drop(cleared);
    }

    /// Has the shelf filled from which a session was taken that is going to live: its end may be far away.
    pub(crate) fn replace(shared: &Arc<Shared>, wanted: &Wanted) {
        if shared.settings.ready == 0 {
            return;
        }
        let mut state = shared.state();
        if state.closed {
            return;
        }
        let cleared = state.shelve(wanted, Some(Instant::now() + AFTER_OPENING));
        Shared::attend(shared, state);
        drop(cleared);
    }

    /// Makes sure that somebody does what there is to do.
    fn attend(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
        if !state.served {
            let thread = Arc::clone(shared);
            let spawned = std::thread::Builder::new().name("skills-workers".into()).spawn(move || thread.serve());
            // Without the thread nothing is ready, and each worker is forked when it is wanted.
            state.served = spawned.is_ok();
            if !state.served {
                let done = std::mem::take(&mut state.done);
                drop(state);
                return drop(done);
            }
        }
        drop(state);
        shared.changed.notify_one();
    }

    pub(crate) fn figures(&self) -> PoolFigures {
        let (busy, waiting) = self.turns.count();
        let state = self.state();
        PoolFigures {
            busy,
            waiting,
            ready: state.shelves.0.iter().map(|shelf| shelf.ready.len()).sum(),
            shelves: state.shelves.0.len(),
            warm: state.warm,
            forked: state.forked,
            expired: state.expired,
        }
    }

    /// Ends what is ready, and the thread.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let ended = (std::mem::take(&mut state.shelves), std::mem::take(&mut state.done));
        drop(state);
        self.changed.notify_one();
        drop(ended);
    }

    fn serve(&self) {
        let mut state = self.state();
        loop {
            if state.closed {
                state.served = false;
                return;
            }
            let done = std::mem::take(&mut state.done);
            if !done.is_empty() {
                drop(state);
                drop(done);
                state = self.state();
                continue;
            }
            if let Some(wanted) = self.lacking(&mut state) {
                drop(state);
                let made = self.make(&wanted);
                state = self.state();
                put(&mut state, &wanted, made);
                continue;
            }
            let now = Instant::now();
            let expired = self.expired(&mut state, now);
            if !expired.is_empty() {
                state.expired += expired.len() as u64;
                drop(state);
                drop(expired);
                state = self.state();
                continue;
            }
            let ends = state.shelves.0.iter().filter_map(|shelf| Some(shelf.ready.front()?.0 + self.settings.idle));
            let rests = state.shelves.0.iter().filter_map(|shelf| shelf.rests);
            state = match ends.chain(rests).min() {
                Some(ends) => {
                    let wait = ends.saturating_duration_since(now);
                    self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    // Nothing is ready and nothing is wanted: the next one who asks starts the thread again.
                    state.served = false;
                    return;
                }
            };
        }
    }

    /// What a shelf lacks, if one does: the one that was asked for last comes first.
    fn lacking(&self, state: &mut State) -> Option<Wanted> {
        let (idle, now) = (self.settings.idle, Instant::now());
        for shelf in &mut state.shelves.0 {
            shelf.rests.take_if(|rests| *rests <= now);
        }
        let shelf = state.shelves.0.iter_mut().rev().find(|shelf| {
            !shelf.broken
                && shelf.rests.is_none()
                && shelf.asked.elapsed() < idle
                && shelf.ready.len() + shelf.coming < self.settings.ready
        })?;
        shelf.coming += 1;
        Some(shelf.wanted.clone())
    }

    fn make(&self, wanted: &Wanted) -> Result<RemoteSession, Failure> {
        let host = Idle::host(wanted);
        let mut session = wanted.start(&self.zygotes, &host)?;
        session.warm_up(&host)?;
        if wanted.living {
            session.warm_up_living(&host)?;
        }
        Ok(session)
    }

    fn expired(&self, state: &mut State, now: Instant) -> Vec<RemoteSession> {
        let mut expired = Vec::new();
        for shelf in &mut state.shelves.0 {
            while shelf
                .ready
                .front()
                .is_some_and(|(since, _)| now.saturating_duration_since(*since) >= self.settings.idle)
            {
                expired.extend(shelf.ready.pop_front().map(|(_, session)| session));
            }
        }
        expired
    }
}

/// Puts what was made where it belongs; what has no place any more is dropped.
fn put(state: &mut State, wanted: &Wanted, made: Result<RemoteSession, Failure>) {
    let Some(shelf) = state.shelves.find(wanted) else { return };
    shelf.coming = shelf.coming.saturating_sub(1);
    match made {
        Ok(session) => shelf.ready.push_back((Instant::now(), session)),
        Err(_) => shelf.broken = true,
    }
}
