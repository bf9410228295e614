//! What surrounds every run: its limits are armed before, and what it left is put back after.

use crate::aside::Aside;
use crate::run::{self, Run, Stop};
use crate::runtime::Runtime;
use crate::stopper;
use crate::tidy::Counted;
use pyo3::prelude::*;
use skills_core::{ErrorKind, Failure, Language, Usage};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What became of a run.
pub(crate) struct Guarded<T> {
    /// The budget's verdict where there is one.
    pub(crate) result: Result<T, Failure>,
    pub(crate) usage: Usage,
    /// Whether the interpreter is not in doubt.
    pub(crate) sound: bool,
}

impl<T> Guarded<T> {
    /// What could not begin.
    pub(crate) fn unstarted(failure: Failure) -> Guarded<T> {
        Guarded { result: Err(failure), usage: Usage::default(), sound: true }
    }
}

/// Does the work of a run.
pub(crate) fn guarded<T>(
    py: Python<'_>,
    runtime: &Runtime,
    run: &Arc<Run>,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Guarded<T> {
    if let Err(reason) = stopper::ensure() {
        return Guarded::unstarted(Failure::new(ErrorKind::Unavailable, format!("Python is not available: {reason}")));
    }
    let before = cpu_time();
    let counted = Counted::new(py, run);
    stopper::watch(run);
    let running = run.budget.running(Arc::new(Stop(Arc::clone(run))));
    let result = catch_unwind(AssertUnwindSafe(|| {
        let waiting = run::current();
        let entered = run.enter(py);
        let aside = waiting.as_ref().map(|waiting| Aside::new(py, &runtime.pristine, waiting));
        let result = work();
        let _ = runtime.pristine.after(py, run);
        drop(aside);
        drop(entered);
        result
    }));
    run.deactivate(py);
    drop(running);
    stopper::unwatch(run);
    drop(counted);
    run.settle_memory();
    let sound = result.is_ok();
    let result = result.unwrap_or_else(|_| Err(Failure::new(ErrorKind::Internal, "the bridge to Python panicked")));
    let mut usage = Usage::default();
    usage.cpu = before.and_then(|before| cpu_time()?.checked_sub(before));
    usage.peak_memory = (!runtime.foreign).then(|| run.memory.peak());
    usage.operations = run.budget.limits().operations.map(|_| run.operations.load(Ordering::Relaxed));
    Guarded { result: judged(run, result), usage, sound }
}

/// Hands on what was printed and not yet handed on.
pub(crate) fn flushed(py: Python<'_>, run: &Arc<Run>) -> Result<(), Failure> {
    // Where it fails there is a verdict, which is the failure.
    run.flush(py).map_err(|_| Failure::new(ErrorKind::OutputLimit, "the output could not be taken"))
}

/// The budget's verdict where there is one, with the frames of what the script was doing.
fn judged<T>(run: &Run, result: Result<T, Failure>) -> Result<T, Failure> {
    let Some(verdict) = run.budget.verdict() else { return result };
    let frames = result.err().map(|failure| failure.frames).unwrap_or_default();
    let mut failure = verdict.clone();
    failure.language = Some(Language::Python);
    if failure.frames.is_empty() {
        failure.frames = frames;
    }
    Err(failure)
}

/// The CPU time of this thread.
fn cpu_time() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to a struct of ours.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) } != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}
