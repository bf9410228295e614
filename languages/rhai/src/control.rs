use crate::last_value::LastValue;
use crate::memory::MemoryCap;
use crate::modules::Modules;
use rhai::{Dynamic, EvalAltResult, ImmutableString, Position};
use rustix::time::{ClockId, clock_gettime};
use skills_core::{Breach, Budget, ErrorKind, Failure, Host, Interrupt, Pace, Stream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The result of what a script calls.
pub(crate) type Rhaied<T> = Result<T, Box<EvalAltResult>>;

/// How many failures of host calls are remembered, so that one which a script throws on keeps its kind.
const REMEMBERED: usize = 16;

/// How many operations pass between two looks at the processor's clock, where its use is limited.
const STEP: u64 = 1_000;

/// What the engine's hooks share with the session: the limits, counts and host of the run at hand.
#[derive(Default)]
pub(crate) struct Control {
    /// The memory limit.
    pub(crate) memory: MemoryCap,
    /// The first operation at which to look closer: after the operation limit, where the pace asks, or 0 to stop at
    /// once.
    alarm: AtomicU64,
    operations: AtomicU64,
    limit: AtomicU64,
    pace: Mutex<Option<Pace>>,
    host: Mutex<Option<Arc<dyn Host>>>,
    failures: Mutex<Vec<Failure>>,
    /// What the scripts of the session import.
    pub(crate) modules: Mutex<Modules>,
    /// What a session's own engine takes `_` for.
    pub(crate) last_value: Mutex<Option<LastValue>>,
    /// The constants of a session, on the way to where `global::NAME` looks for them.
    constants: Mutex<Vec<(ImmutableString, Dynamic)>>,
    /// Whether the body of a skill has been evaluated to its end.
    reached: AtomicBool,
}

impl Interrupt for Control {
    fn interrupt(&self) {
        self.alarm.store(0, Relaxed);
    }
}

impl Control {
    /// Makes ready for a run.
    pub(crate) fn begin(&self, host: &Arc<dyn Host>) {
        let budget = host.budget();
        let limit = budget.operations_limit().unwrap_or(u64::MAX);
        let pace = budget.limits().cpu_percent.and_then(|percent| Pace::new(percent, cpu(), budget.wall()));
        self.limit.store(limit, Relaxed);
        self.operations.store(0, Relaxed);
        let alarm = limit.saturating_add(1);
        self.alarm.store(if pace.is_some() { alarm.min(STEP) } else { alarm }, Relaxed);
        *lock(&self.pace) = pace;
        lock(&self.failures).clear();
        *lock(&self.host) = Some(Arc::clone(host));
    }

    /// Tells the budget how many operations there were, before a host call.
    pub(crate) fn before_call(&self, budget: &Budget) {
        budget.note_operations(self.operations());
    }

    /// Takes what a host call left of the operations.
    pub(crate) fn after_call(&self, budget: &Budget) {
        let Some(limit) = budget.operations_limit() else { return };
        self.limit.store(limit, Relaxed);
        // An alarm of 0 says that the script is to stop, and stays.
        self.alarm.fetch_min(limit.saturating_add(1), Relaxed);
    }

    /// Lets go of the host.
    pub(crate) fn end(&self) {
        *lock(&self.host) = None;
    }

    /// Puts constants ready for [`Control::take_constants`].
    pub(crate) fn offer_constants(&self, constants: Vec<(ImmutableString, Dynamic)>) {
        *lock(&self.constants) = constants;
    }

    /// The constants that were put ready.
    pub(crate) fn take_constants(&self) -> Vec<(ImmutableString, Dynamic)> {
        std::mem::take(&mut *lock(&self.constants))
    }

    /// Says that the body of a skill has been evaluated to its end.
    pub(crate) fn reach(&self) {
        self.reached.store(true, Relaxed);
    }

    /// Whether it has; asked once.
    pub(crate) fn take_reached(&self) -> bool {
        self.reached.swap(false, Relaxed)
    }

    /// The operations so far.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Relaxed)
    }

    /// The host of the run at hand.
    pub(crate) fn host(&self) -> Option<Arc<dyn Host>> {
        lock(&self.host).clone()
    }

    /// Rhai's progress hook, called before every operation. Something stops the script.
    #[inline]
    pub(crate) fn progress(&self, operations: u64) -> Option<Dynamic> {
        self.operations.store(operations, Relaxed);
        if operations >= self.alarm.load(Relaxed) || self.memory.suspicious() { self.look(operations) } else { None }
    }

    #[cold]
    fn look(&self, operations: u64) -> Option<Dynamic> {
        if operations > self.limit.load(Relaxed) {
            return self.host().and_then(|host| self.breached(host.budget().operations_breach(operations)));
        }
        if let Err(breach) = self.memory.check() {
            return self.breached(breach);
        }
        self.keep_pace(operations);
        (self.alarm.load(Relaxed) == 0).then_some(Dynamic::UNIT)
    }

    fn breached(&self, breach: Breach) -> Option<Dynamic> {
        self.breach(breach);
        Some(Dynamic::UNIT)
    }

    /// Rests, where the script is ahead of its share of the processor.
    fn keep_pace(&self, operations: u64) {
        let alarm = self.alarm.load(Relaxed);
        if operations < alarm || alarm == 0 {
            return;
        }
        let Some(host) = self.host() else { return };
        let rest = match lock(&self.pace).as_mut() {
            Some(pace) => pace.rest(cpu(), host.budget().wall()),
            None => return,
        };
        host.budget().rest(rest);
        let next = operations.saturating_add(STEP).min(self.limit.load(Relaxed).saturating_add(1));
        // Where the alarm was raised in the meantime, it stays.
        let _ = self.alarm.compare_exchange(alarm, next, Relaxed, Relaxed);
    }

    /// Records a breach with the budget.
    pub(crate) fn breach(&self, breach: Breach) -> Failure {
        self.interrupt();
        match self.host() {
            Some(host) => host.budget().breach(breach),
            None => Failure::breach(breach),
        }
    }

    /// Records a breach, and gives the error that stops the script and cannot be caught.
    pub(crate) fn stop(&self, breach: Breach) -> Box<EvalAltResult> {
        self.breach(breach);
        terminated()
    }

    /// Fails where that many more bytes are more than the script may hold.
    pub(crate) fn reserve(&self, bytes: u64) -> Rhaied<()> {
        self.memory.check_more(bytes).map_err(|breach| self.stop(breach))
    }

    /// Whether the run has been told to stop.
    pub(crate) fn stopping(&self) -> bool {
        self.alarm.load(Relaxed) == 0
    }

    /// Prints for the script; where the output limit is reached, the script stops at its next operation.
    pub(crate) fn print(&self, stream: Stream, text: &str) {
        let Some(host) = self.host() else { return };
        let line = format!("{text}\n");
        if self.memory.outside(|| host.print(stream, &line)).is_err() {
            self.interrupt();
        }
    }

    /// Turns a failure of a host call into what the script sees: a thrown map, or an end where the run is to stop.
    pub(crate) fn throw(&self, failure: Failure) -> Box<EvalAltResult> {
        if self.host().is_some_and(|host| host.budget().stopping()) {
            self.interrupt();
            return terminated();
        }
        let mut map = rhai::Map::new();
        map.insert("kind".into(), failure.kind.as_str().into());
        map.insert("message".into(), failure.message.clone().into());
        if let Some(help) = &failure.help {
            map.insert("help".into(), help.clone().into());
        }
        let mut failures = lock(&self.failures);
        if failures.len() == REMEMBERED {
            failures.remove(0);
        }
        failures.push(failure);
        EvalAltResult::ErrorRuntime(map.into(), Position::NONE).into()
    }

    /// The host's failure that a thrown map came from, if it did.
    pub(crate) fn thrown(&self, kind: &str, message: &str) -> Option<Failure> {
        let failures = lock(&self.failures);
        failures.iter().rev().find(|failure| failure.kind.as_str() == kind && failure.message == message).cloned()
    }
}

/// The error that stops a script and cannot be caught. Why it was stopped, the budget knows.
pub(crate) fn terminated() -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into()
}

/// An error of the script's own, with a message.
pub(crate) fn error(message: impl Into<String>) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(message.into().into(), Position::NONE).into()
}

/// The failure where a session is used in a way that cannot happen.
pub(crate) fn no_run() -> Failure {
    Failure::new(ErrorKind::Internal, "a Rhai function was called outside a run")
}

/// The CPU time of this thread.
pub(crate) fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
