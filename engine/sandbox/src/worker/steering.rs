//! The way in for what cannot wait for the session's thread: word that a request is to stop.

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use skills_core::Budget;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The requests of a living session, as far as they can be stopped from outside.
#[derive(Debug, Default)]
pub(crate) struct Steering {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
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
        /// It only waits, and tells a budget.
        const STACK: usize = 256 << 10;
        let steering = Arc::new(Steering::default());
        let shared = Arc::clone(&steering);
        let thread = std::thread::Builder::new().name("skills-control".into()).stack_size(STACK);
        drop(thread.spawn(move || shared.listen(&control)));
        steering
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, control: &OwnedFd) {
        let mut word = [0; 8];
        loop {
            match recv(control, &mut word, RecvFlags::empty()) {
                Ok((8, _)) => self.stop(u64::from_le_bytes(word)),
                Err(Errno::INTR) => {}
                _ => return,
            }
        }
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
