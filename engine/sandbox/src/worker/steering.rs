//! The way in for what cannot wait for the session's thread: word that a request is to stop. Descriptors for a copy of the
//! session come this way as well.

use crate::zygote::wire;
use skills_core::Budget;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The requests of a living session, as far as they can be stopped from outside.
#[derive(Debug)]
pub(crate) struct Steering {
    control: OwnedFd,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What a copy is to talk over.
    handed: Vec<OwnedFd>,
    /// The request at hand.
    current: Option<(u64, Arc<Budget>)>,
    /// The last request that was told to stop.
    stopped: u64,
}

/// While it lives, its request can be stopped.
#[derive(Debug)]
pub(crate) struct Steered<'a>(&'a Steering);

impl Steering {
    /// Starts the thread that waits for word of the host. Without it, requests go on until they end or the host ends the
    /// worker.
    pub(crate) fn start(control: OwnedFd) -> Arc<Steering> {
        let steering = Arc::new(Steering { control, state: Mutex::default(), arrived: Condvar::new() });
        steering.spawn();
        steering
    }

    fn spawn(self: &Arc<Self>) {
        /// It only waits, and tells a budget.
        const STACK: usize = 256 << 10;
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name("skills-control".into()).stack_size(STACK);
        drop(thread.spawn(move || shared.listen()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self) {
        while let Ok(Some((run, fds))) = wire::receive_word(self.control.as_fd()) {
            if fds.is_empty() {
                self.stop(run);
            } else {
                self.state().handed = fds;
                self.arrived.notify_all();
            }
        }
    }

    /// What a copy is to talk over, once it is there.
    pub(crate) fn handed(&self) -> Option<[OwnedFd; 4]> {
        /// It was sent before the request for the copy.
        const PATIENCE: Duration = Duration::from_secs(5);
        let state = self.state();
        let waited = self.arrived.wait_timeout_while(state, PATIENCE, |state| state.handed.is_empty());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        std::mem::take(&mut state.handed).try_into().ok()
    }

    /// Keeps the thread still while its process is forked by the calling thread: while what this gives lives, it holds nothing
    /// that a fork could not give back.
    pub(crate) fn still(&self) -> impl Sized + '_ {
        self.state()
    }

    /// In a copy: takes the place of what the original talks over, and starts the thread anew.
    pub(crate) fn moved(self: &Arc<Self>, control: &OwnedFd) -> rustix::io::Result<()> {
        crate::worker::link::replace(&self.control, control)?;
        self.spawn();
        Ok(())
    }

    /// Where the host is greeted.
    pub(crate) fn control(&self) -> &OwnedFd {
        &self.control
    }

    /// Stops a request, also where the session's thread has not come to it yet.
    fn stop(&self, run: u64) {
        let budget = {
            let mut state = self.state();
            state.stopped = state.stopped.max(run);
            state.current.as_ref().filter(|(current, _)| *current == run).map(|(_, budget)| Arc::clone(budget))
        };
        if let Some(budget) = budget {
            budget.cancel();
        }
    }

    /// Lets a request be stopped.
    pub(crate) fn steer(&self, run: u64, budget: &Arc<Budget>) -> Steered<'_> {
        let mut state = self.state();
        state.current = Some((run, Arc::clone(budget)));
        let stopped = state.stopped >= run;
        drop(state);
        if stopped {
            budget.cancel();
        }
        Steered(self)
    }
}

impl Drop for Steered<'_> {
    fn drop(&mut self) {
        self.0.state().current = None;
    }
}
