use crate::{Breach, ErrorKind, Failure, LimitName, Limits, watchdog};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Stops a running interpreter from another thread.
///
/// Called from the watchdog or from whoever cancels, repeatedly (every few milliseconds) until the run has ended, so
/// that a script which catches the first interruption meets the next. It must return at once, and must not wait for
/// anything that the interpreter's thread may hold while it calls [`Budget::running`]'s guard's drop.
pub trait Interrupt: Send + Sync {
    /// Asks the interpreter to stop as soon as it can.
    fn interrupt(&self);
}

/// The live side of [`Limits`]: counts what a run has used and stops it when a limit is reached.
///
/// The first breach or cancellation wins and stays: whatever a script makes of it, [`Budget::verdict`] tells.
pub struct Budget {
    limits: Limits,
    started: Instant,
    clock: Mutex<Clock>,
    host_calls: AtomicU64,
    output: AtomicU64,
    own_operations: AtomicU64,
    called_operations: AtomicU64,
    stopping: AtomicBool,
    stopped_by: OnceLock<Failure>,
    interrupt: Mutex<Option<Arc<dyn Interrupt>>>,
}

#[derive(Default)]
struct Clock {
    paused: Duration,
    pauses: u32,
    since: Option<Instant>,
}

impl Budget {
    /// A budget whose time starts now.
    pub fn new(limits: Limits) -> Arc<Budget> {
        Arc::new(Budget::since(limits, Instant::now(), Clock::default()))
    }

    fn since(limits: Limits, started: Instant, clock: Clock) -> Budget {
        Budget {
            limits,
            started,
            clock: Mutex::new(clock),
            host_calls: AtomicU64::new(0),
            output: AtomicU64::new(0),
            own_operations: AtomicU64::new(0),
            called_operations: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            stopped_by: OnceLock::new(),
            interrupt: Mutex::new(None),
        }
    }

    /// A budget that stands for one elsewhere, of which this much execution time and wall time have passed.
    pub fn resumed(limits: Limits, (execution, wall): (Duration, Duration)) -> Arc<Budget> {
        let now = Instant::now();
        let started = now.checked_sub(wall).unwrap_or(now);
        let paused = started.elapsed().saturating_sub(execution);
        Arc::new(Budget::since(limits, started, Clock { paused, ..Clock::default() }))
    }

    /// Sets the execution time that has passed to what the budget says that this one stands for.
    pub fn agree(self: &Arc<Self>, execution: Duration) {
        {
            let mut clock = lock(&self.clock);
            clock.paused = self.started.elapsed().saturating_sub(execution);
            clock.since = clock.since.map(|_| Instant::now());
        }
        watchdog::look(self);
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Wall time since the start.
    pub fn wall(&self) -> Duration {
        self.started.elapsed()
    }

    /// Execution time since the start: wall time without functions of the host program.
    pub fn elapsed(&self) -> Duration {
        let clock = lock(&self.clock);
        let now = Instant::now();
        let pausing = clock.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        now.saturating_duration_since(self.started).saturating_sub(clock.paused + pausing)
    }

    /// The time until the run must stop if it goes on executing; `None` where no time limit is set.
    pub fn remaining(&self) -> Option<Duration> {
        let time = self.limits.time.map(|limit| limit.saturating_sub(self.elapsed()));
        let wall = self.limits.wall.map(|limit| limit.saturating_sub(self.wall()));
        match (time, wall) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Stops the execution clock until the guard is dropped. Pauses may nest and overlap.
    pub fn pause(&self) -> PauseGuard<'_> {
        let mut clock = lock(&self.clock);
        if clock.pauses == 0 {
            clock.since = Some(Instant::now());
        }
        clock.pauses += 1;
        PauseGuard { budget: self }
    }

    /// Counts one host call, or fails where there are too many.
    pub fn charge_host_call(&self) -> Result<(), Failure> {
        let reading = self.host_calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.check(LimitName::HostCalls, self.limits.host_calls, reading)
    }

    /// Counts output before it is kept, or fails where there is too much.
    pub fn charge_output(&self, bytes: u64) -> Result<(), Failure> {
        let reading = self.output.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.check(LimitName::Output, self.limits.output, reading)
    }

    fn check(&self, name: LimitName, limit: Option<u64>, reading: u64) -> Result<(), Failure> {
        match limit {
            Some(limit) if reading > limit => Err(self.breach(Breach { name, limit, reading })),
            _ => Ok(()),
        }
    }

    /// What is left of every limit that adds up, for a run that this one calls: time, operations, output and host calls.
    /// The others hold for each run by itself.
    pub fn left(&self) -> Limits {
        let rest = |limit: Option<u64>, used: u64| limit.map(|limit| limit.saturating_sub(used));
        Limits {
            time: self.limits.time.map(|limit| limit.saturating_sub(self.elapsed())),
            wall: self.limits.wall.map(|limit| limit.saturating_sub(self.wall())),
            operations: rest(self.limits.operations, self.own_operations().saturating_add(self.called_operations())),
            output: rest(self.limits.output, self.output()),
            host_calls: rest(self.limits.host_calls, self.host_calls()),
            ..self.limits.clone()
        }
    }

    /// Adds what a called run used to what this one has used.
    pub fn charge_called(&self, host_calls: u64, operations: u64) {
        self.host_calls.fetch_add(host_calls, Ordering::Relaxed);
        self.called_operations.fetch_add(operations, Ordering::Relaxed);
    }

    /// Notes how many operations the run itself has executed: an interpreter does so before each host call, because what is
    /// called gets what is left.
    pub fn note_operations(&self, own: u64) {
        self.own_operations.fetch_max(own, Ordering::Relaxed);
    }

    /// The operations that were noted.
    pub fn own_operations(&self) -> u64 {
        self.own_operations.load(Ordering::Relaxed)
    }

    /// Sets what called runs used to what the budget says that this one stands for.
    pub fn agree_called_operations(&self, operations: u64) {
        self.called_operations.store(operations, Ordering::Relaxed);
    }

    /// The operations of called runs.
    pub fn called_operations(&self) -> u64 {
        self.called_operations.load(Ordering::Relaxed)
    }

    /// How many operations the run itself may execute: its limit without those of called runs. It changes with each host
    /// call.
    pub fn operations_limit(&self) -> Option<u64> {
        self.limits.operations.map(|limit| limit.saturating_sub(self.called_operations()))
    }

    /// The breach where the run itself has executed more operations than it may, with the figures of the whole limit.
    pub fn operations_breach(&self, own: u64) -> Breach {
        let limit = self.limits.operations.unwrap_or(0);
        Breach { name: LimitName::Operations, limit, reading: own.saturating_add(self.called_operations()) }
    }

    /// The number of host calls so far, those of called runs included.
    pub fn host_calls(&self) -> u64 {
        self.host_calls.load(Ordering::Relaxed)
    }

    /// The bytes printed so far.
    pub fn output(&self) -> u64 {
        self.output.load(Ordering::Relaxed)
    }

    /// Records a breach, and answers with its failure (or with the earlier one, which stays).
    pub fn breach(&self, breach: Breach) -> Failure {
        self.stop(Failure::breach(breach))
    }

    /// Cancels the run.
    pub fn cancel(&self) {
        self.stop(Failure::new(ErrorKind::Cancelled, "the run was cancelled"));
        self.fire();
    }

    fn stop(&self, failure: Failure) -> Failure {
        let first = self.stopped_by.get_or_init(|| failure).clone();
        self.stopping.store(true, Ordering::Release);
        first
    }

    /// Whether the run has been told to stop: one relaxed load, for an interpreter's progress hook.
    #[inline]
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Why the run has been told to stop, if it has. This outranks whatever the script returned or raised.
    pub fn verdict(&self) -> Option<&Failure> {
        self.stopped_by.get()
    }

    /// Arms the watchdog and takes interruptions until the guard is dropped. Hold it exactly while the interpreter
    /// executes. After the drop no interruption of this budget is under way any more.
    pub fn running(self: &Arc<Self>, interrupt: Arc<dyn Interrupt>) -> Running {
        *lock(&self.interrupt) = Some(interrupt);
        let watch = watchdog::watch(self);
        if self.stopping() {
            self.fire();
        }
        Running { budget: Arc::clone(self), _watch: watch }
    }

    /// Fails where the run has been told to stop or its time is up, which is then recorded as [`Budget::breach`] does.
    ///
    /// For work on a script's behalf that the watchdog cannot interrupt.
    pub fn check_time(&self) -> Result<(), Failure> {
        if let Some(failure) = self.verdict() {
            return Err(failure.clone());
        }
        self.overdue().map_or(Ok(()), |breach| Err(self.breach(breach)))
    }

    /// The time limit that has been reached, if one has.
    fn overdue(&self) -> Option<Breach> {
        let (name, limit, reading) = match (self.limits.time, self.limits.wall) {
            (Some(limit), _) if self.elapsed() >= limit => (LimitName::Time, limit, self.elapsed()),
            (_, Some(limit)) if self.wall() >= limit => (LimitName::Wall, limit, self.wall()),
            _ => return None,
        };
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        Some(Breach { name, limit: millis(limit), reading: millis(reading) })
    }

    /// Stops the run if its time is up; says when to look again. For the watchdog.
    pub(crate) fn poll(&self) -> Option<Duration> {
        const AGAIN: Duration = Duration::from_millis(5);
        if self.stopping() {
            self.fire();
            return Some(AGAIN);
        }
        let Some(breach) = self.overdue() else {
            return self.remaining().map(|left| left.max(Duration::from_micros(100)));
        };
        self.breach(breach);
        self.fire();
        Some(AGAIN)
    }

    fn fire(&self) {
        // The lock is held while interrupting: a guard that is dropped waits for it, so no interruption is late.
        if let Some(interrupt) = lock(&self.interrupt).as_ref() {
            interrupt.interrupt();
        }
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("limits", &self.limits).field("verdict", &self.verdict()).finish_non_exhaustive()
    }
}

/// While it lives, a budget's execution clock stands still.
pub struct PauseGuard<'a> {
    budget: &'a Budget,
}

impl Drop for PauseGuard<'_> {
    fn drop(&mut self) {
        let mut clock = lock(&self.budget.clock);
        clock.pauses -= 1;
        if clock.pauses == 0
            && let Some(since) = clock.since.take()
        {
            clock.paused += since.elapsed();
        }
    }
}

/// While it lives, a budget's run is watched and can be interrupted. See [`Budget::running`].
pub struct Running {
    budget: Arc<Budget>,
    _watch: watchdog::Watch,
}

impl Drop for Running {
    fn drop(&mut self) {
        *lock(&self.budget.interrupt) = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Flag(AtomicBool);
    impl Interrupt for Flag {
        fn interrupt(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn the_watchdog_interrupts_a_run_whose_time_is_up() {
        let limits = Limits { time: Some(Duration::from_millis(5)), ..Limits::none() };
        let budget = Budget::new(limits);
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let _running = budget.running(flag.clone());
        while !flag.0.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let failure = budget.verdict().unwrap();
        assert_eq!(failure.kind, ErrorKind::Timeout);
        assert_eq!(failure.limit.unwrap().limit, 5);
    }

    #[test]
    fn host_calls_do_not_use_execution_time() {
        let budget = Budget::new(Limits::none());
        let pause = budget.pause();
        let inner = budget.pause();
        std::thread::sleep(Duration::from_millis(20));
        drop(pause);
        std::thread::sleep(Duration::from_millis(20));
        drop(inner);
        let executed = budget.elapsed();
        assert!(budget.wall() - executed >= Duration::from_millis(40));
    }

    #[test]
    fn a_resumed_budget_goes_on_where_the_other_one_stood() {
        let limits = Limits { time: Some(Duration::from_secs(60)), ..Limits::none() };
        let budget = Budget::resumed(limits, (Duration::from_secs(10), Duration::from_secs(30)));
        let seconds = |budget: &Budget| (budget.elapsed().as_secs(), budget.wall().as_secs());
        assert_eq!(seconds(&budget), (10, 30));
        budget.agree(Duration::from_secs(20));
        assert_eq!(seconds(&budget), (20, 30));
        let pause = budget.pause();
        budget.agree(Duration::from_secs(25));
        drop(pause);
        assert_eq!(seconds(&budget), (25, 30));
    }

    #[test]
    fn the_watchdog_sees_that_more_time_has_passed() {
        let limits = Limits { time: Some(Duration::from_secs(20)), ..Limits::none() };
        let budget = Budget::resumed(limits, (Duration::ZERO, Duration::from_secs(60)));
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let _running = budget.running(flag.clone());
        budget.agree(Duration::from_secs(21));
        while !flag.0.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        assert_eq!(budget.verdict().unwrap().kind, ErrorKind::Timeout);
    }

    #[test]
    fn time_that_is_up_is_recorded_by_whoever_looks() {
        assert!(Budget::new(Limits::none()).check_time().is_ok());
        let day = Some(Duration::from_secs(86_400));
        assert!(Budget::new(Limits { time: day, wall: day, ..Limits::none() }).check_time().is_ok());
        for (limits, name) in [
            (Limits { time: Some(Duration::ZERO), ..Limits::none() }, LimitName::Time),
            (Limits { wall: Some(Duration::ZERO), time: day, ..Limits::none() }, LimitName::Wall),
        ] {
            let budget = Budget::new(limits);
            let failure = budget.check_time().unwrap_err();
            assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::Timeout, name));
            assert!(budget.stopping());
            assert_eq!(budget.verdict(), Some(&failure));
        }
        let budget = Budget::new(Limits { time: Some(Duration::ZERO), ..Limits::none() });
        budget.cancel();
        assert_eq!(budget.check_time().unwrap_err().kind, ErrorKind::Cancelled);
    }

    #[test]
    fn the_first_verdict_stays() {
        let budget = Budget::new(Limits { host_calls: Some(1), output: Some(3), ..Limits::none() });
        assert!(budget.charge_host_call().is_ok());
        let failure = budget.charge_host_call().unwrap_err();
        assert_eq!(failure.limit, Some(Breach { name: LimitName::HostCalls, limit: 1, reading: 2 }));
        assert_eq!(budget.charge_output(4).unwrap_err().kind, ErrorKind::HostCallLimit);
        budget.cancel();
        assert_eq!(budget.verdict().unwrap().kind, ErrorKind::HostCallLimit);
    }
}
