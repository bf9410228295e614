use crate::Budget;
use std::time::{Duration, Instant};

/// How much processor time may be used in a row before a rest is considered, as wall time at the allowed share.
const WINDOW: Duration = Duration::from_millis(50);

/// The longest nap of a rest: how late a stop may be noticed.
const NAP: Duration = Duration::from_millis(2);

/// Holds one thread to a share of a processor: told how much it has used, it says how long to rest.
///
/// It is for interpreters, which ask from their progress hook. It reads no processor clock itself.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    percent: u32,
    /// The thread's processor time and the wall time when the window at hand began.
    cpu: Duration,
    wall: Duration,
}

impl Pace {
    /// The pace of a thread that has used so much processor time at this wall time. `None` where a single thread
    /// cannot go beyond the share.
    pub fn new(percent: u64, cpu: Duration, wall: Duration) -> Option<Pace> {
        let percent = u32::try_from(percent).ok().filter(|percent| *percent < 100)?.max(1);
        Some(Pace { percent, cpu, wall })
    }

    /// How long the thread is to rest now: nothing while the window lasts.
    pub fn rest(&mut self, cpu: Duration, wall: Duration) -> Duration {
        let used = cpu.saturating_sub(self.cpu);
        // At the allowed share, what was used takes this long.
        let due = used * 100 / self.percent;
        let passed = wall.saturating_sub(self.wall);
        if due.max(passed) < WINDOW {
            return Duration::ZERO;
        }
        // What was not used of a window is not saved up for the next.
        let rest = due.saturating_sub(passed);
        self.cpu = cpu;
        self.wall = wall + rest;
        rest
    }
}

impl Budget {
    /// Sleeps, but no longer than until the run is told to stop.
    pub fn rest(&self, time: Duration) {
        let started = Instant::now();
        while !self.stopping()
            && let Some(left) = time.checked_sub(started.elapsed()).filter(|left| !left.is_zero())
        {
            std::thread::sleep(left.min(NAP));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_busy_thread_rests_until_its_share_is_right() {
        let mut pace = Pace::new(20, ms(100), ms(0)).unwrap();
        assert_eq!(pace.rest(ms(105), ms(5)), ms(0));
        assert_eq!(pace.rest(ms(112), ms(12)), ms(48));
        assert_eq!(pace.rest(ms(113), ms(61)), ms(0));
        // The next window counts from the end of the rest.
        assert_eq!(pace.rest(ms(122), ms(70)), ms(40));
    }

    #[test]
    fn time_that_was_not_used_is_not_saved_up() {
        let mut pace = Pace::new(50, ms(0), ms(0)).unwrap();
        assert_eq!(pace.rest(ms(1), ms(10_000)), ms(0));
        assert_eq!(pace.rest(ms(31), ms(10_030)), ms(30));
    }

    #[test]
    fn one_thread_needs_no_pace_for_a_whole_processor() {
        assert!(Pace::new(100, ms(0), ms(0)).is_none());
        assert!(Pace::new(u64::MAX, ms(0), ms(0)).is_none());
        assert!(Pace::new(0, ms(0), ms(0)).is_some());
    }

    #[test]
    fn a_rest_ends_when_the_run_is_stopped() {
        let budget = Budget::new(Limits::none());
        budget.cancel();
        budget.rest(Duration::from_secs(86_400));
    }
}
