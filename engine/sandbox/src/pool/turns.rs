use skills_core::{Budget, ErrorKind, Failure};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who may have a worker now, and who waits.
#[derive(Debug)]
pub(crate) struct Turns {
    most: usize,
    queue: usize,
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    waiting: usize,
}

/// While it lives, one of the workers that may be at once is taken.
#[derive(Debug)]
pub(crate) struct Turn(Arc<Turns>);

/// How often a wait looks whether its run was told to stop.
const LOOK: Duration = Duration::from_millis(20);

impl Turns {
    pub(crate) fn new(most: usize, queue: usize) -> Arc<Turns> {
        Arc::new(Turns { most: most.max(1), queue, state: Mutex::default(), given_back: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many have a turn, and how many wait for one.
    pub(crate) fn count(&self) -> (usize, usize) {
        let state = self.state();
        (state.busy, state.waiting)
    }

    /// Waits for a turn, as long as the run may take. The wait is none of its execution time.
    ///
    /// # Errors
    /// `queue_full` where too many wait already; what the budget says.
    pub(crate) fn take(self: &Arc<Self>, budget: &Budget) -> Result<Turn, Failure> {
        let mut state = self.state();
        if state.busy >= self.most {
            if state.waiting >= self.queue {
                let message = format!("{} workers are busy, and {} runs wait for one", state.busy, state.waiting);
                return Err(Failure::new(ErrorKind::QueueFull, message)
                    .with_help("try again later, or raise `max_concurrent_skills` or `execution_queue_size`"));
            }
            let _pause = budget.pause();
            state.waiting += 1;
            while state.busy >= self.most {
                state = self.given_back.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
                if let Err(failure) = budget.check_time() {
                    state.waiting -= 1;
                    return Err(failure);
                }
            }
            state.waiting -= 1;
        }
        state.busy += 1;
        Ok(Turn(Arc::clone(self)))
    }

    /// A turn at once, though there may be none left: others wait for longer then.
    pub(crate) fn take_now(self: &Arc<Self>) -> Turn {
        self.state().busy += 1;
        Turn(Arc::clone(self))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skills_core::Limits;

    #[test]
    fn a_turn_is_given_back() {
        let turns = Turns::new(1, 0);
        let budget = Budget::new(Limits::none());
        let turn = turns.take(&budget).unwrap();
        assert_eq!(turns.take(&budget).unwrap_err().kind, ErrorKind::QueueFull);
        drop(turn);
        assert!(turns.take(&budget).is_ok());
    }

    #[test]
    fn a_turn_that_is_taken_at_once_counts_for_others() {
        let turns = Turns::new(1, 0);
        let budget = Budget::new(Limits::none());
        let (first, second) = (turns.take_now(), turns.take_now());
        drop(first);
        assert_eq!(turns.take(&budget).unwrap_err().kind, ErrorKind::QueueFull);
        drop(second);
        assert!(turns.take(&budget).is_ok());
    }

    #[test]
    fn who_waits_goes_on_when_a_turn_is_given_back() {
        let turns = Turns::new(1, 1);
        let budget = Budget::new(Limits::none());
        let turn = turns.take(&budget).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| turns.take(&Budget::new(Limits::none())).map(drop));
            while turns.count().1 == 0 {
                std::thread::yield_now();
            }
            assert_eq!(turns.take(&budget).unwrap_err().kind, ErrorKind::QueueFull, "the queue has room for one");
            drop(turn);
            assert!(waiter.join().unwrap().is_ok());
        });
        assert_eq!(turns.count(), (0, 0));
    }

    #[test]
    fn who_is_cancelled_waits_no_longer() {
        let turns = Turns::new(1, 1);
        let _turn = turns.take(&Budget::new(Limits::none())).unwrap();
        let budget = Budget::new(Limits::none());
        budget.cancel();
        assert_eq!(turns.take(&budget).unwrap_err().kind, ErrorKind::Cancelled);
        assert_eq!(turns.count(), (1, 0));
    }
}
