//! The thread that raises the stop exception in running scripts.
//!
//! Whoever interrupts (the watchdog, a caller that cancels, the memory hook) must return at once and may hold locks, so it
//! only sets a flag and unparks this thread, which then waits for the GIL and raises, again every few milliseconds until the run
//! has ended. It is also CPython's main thread: it lives as long as the process, and a script, which never runs on
//! it, cannot install signal handlers.

use crate::run::{Run, drain};
use pyo3::Python;
use std::cell::RefCell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;

/// How long a script that caught the stop may go on before it meets the next.
const AGAIN: Duration = Duration::from_millis(5);

/// How long threads get to take the stop before this one takes CPython's note back. See [`drain`].
const DELIVERY: Duration = Duration::from_millis(1);

/// The thread; null where there is none. What is replaced stays allocated, because whoever wakes it takes no lock.
static THREAD: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());
static RUNS: Mutex<Vec<Arc<Run>>> = Mutex::new(Vec::new());

fn runs() -> MutexGuard<'static, Vec<Arc<Run>>> {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread, which first runs `start` (the interpreter's initialisation) and gives its answer.
pub(crate) fn spawn<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (answer, answered) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("skills-python".into())
        .stack_size(8 << 20)
        .spawn(move || {
            settle();
            let _ = answer.send(start());
            serve();
        })
        .map_err(|error| format!("could not start a thread: {error}"))?;
    drop(thread);
    answered.recv().map_err(|_| "the thread that starts CPython ended".to_owned())
}

/// Makes the calling thread the one that stops scripts, once it [serves](serve).
pub(crate) fn settle() {
    THREAD.store(Box::into_raw(Box::new(std::thread::current())), Ordering::Release);
}

thread_local! {
    /// The lock that a fork is made under.
    static HELD: RefCell<Option<MutexGuard<'static, Vec<Arc<Run>>>>> = const { RefCell::new(None) };
}

/// Before a fork: keeps the thread from holding a lock that would never be given back in the new process.
pub(crate) fn hold() {
    HELD.set(Some(runs()));
}

/// After a fork, in the process that forked.
pub(crate) fn release() {
    HELD.set(None);
}

/// After a fork, in the new process, which has only the thread that forked: the thread that stops scripts is started anew by
/// the next run.
pub(crate) fn lost() {
    THREAD.store(ptr::null_mut(), Ordering::Release);
    if let Some(mut runs) = HELD.take() {
        runs.clear();
    }
}

/// Starts the thread where there is none: in a process that was forked from one in which scripts ran.
///
/// # Errors
/// Where no thread can be started.
pub(crate) fn ensure() -> Result<(), String> {
    if THREAD.load(Ordering::Acquire).is_null() { spawn(|| ()) } else { Ok(()) }
}

/// Wakes the thread: something wants to be stopped. Takes no lock and allocates nothing.
pub(crate) fn wake() {
    // SAFETY: what is stored is null or was leaked in `settle`.
    if let Some(thread) = unsafe { THREAD.load(Ordering::Acquire).as_ref() } {
        thread.unpark();
    }
}

/// Adds a run to those that the thread looks at.
pub(crate) fn watch(run: &Arc<Run>) {
    runs().push(Arc::clone(run));
}

/// Forgets a run that has ended. One whose threads are alive stays until they are gone or given up.
pub(crate) fn unwatch(run: &Arc<Run>) {
    runs().retain(|other| !(Arc::ptr_eq(other, run) && other.given_up()));
}

/// Stops what has to stop, for ever.
pub(crate) fn serve() -> ! {
    loop {
        let given_up: Vec<Arc<Run>> = runs().extract_if(.., |run| run.given_up()).collect();
        drop(given_up);
        let stopping: Vec<Arc<Run>> = runs().iter().filter(|run| run.wants_stop()).cloned().collect();
        if stopping.is_empty() {
            std::thread::park();
            continue;
        }
        Python::attach(|py| {
            for run in &stopping {
                run.raise_stop(py);
            }
            drop(stopping);
        });
        std::thread::sleep(DELIVERY);
        Python::attach(drain);
        std::thread::park_timeout(AGAIN);
    }
}
