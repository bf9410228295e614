use crate::Error;
use skills_core::{Budget, ErrorKind, Failure};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The engine's own tokio runtimes, started when something first needs them. Independent of any runtime of the host:
/// waiting for them is fine on the host's own runtime threads too.
#[derive(Clone, Default)]
pub(crate) struct Runtime(Arc<Started>);

/// Two, so that runs that take all the threads there are for runs still get those that their host functions need.
#[derive(Default)]
struct Started {
    /// For whole runs.
    runs: OnceLock<Option<tokio::runtime::Runtime>>,
    /// For the futures of host functions.
    futures: OnceLock<Option<tokio::runtime::Runtime>>,
}

impl Drop for Started {
    fn drop(&mut self) {
        for runtime in [self.runs.take(), self.futures.take()].into_iter().flatten().flatten() {
            // Dropping a runtime in the ordinary way waits for its threads, and panics on a thread of another runtime.
            runtime.shutdown_background();
        }
    }
}

/// How often a wait looks whether the run was told to stop.
const LOOK: Duration = Duration::from_millis(20);

/// The stack of a thread that runs scripts: room for the deepest nesting that the languages allow.
const STACK: usize = 16 << 20;

/// The most runs that are under way at once on the engine's own threads; more wait for their turn.
const MOST_RUNS: usize = 512;

/// The most host functions whose futures are waited for at once. Each may run a script whose host functions are waited
/// for in turn, so it is several times the number of runs.
const MOST_FUTURES: usize = 8 * MOST_RUNS;

fn start(
    slot: &OnceLock<Option<tokio::runtime::Runtime>>,
    threads: usize,
) -> Result<&tokio::runtime::Runtime, Failure> {
    let build = || {
        // The one worker drives timers; what may block has threads of its own.
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(threads);
        builder.thread_name("skills-async").thread_stack_size(STACK).enable_all().build().ok()
    };
    (slot.get_or_init(build).as_ref())
        .ok_or_else(|| Failure::new(ErrorKind::Unavailable, "the engine could not start its threads"))
}

impl Runtime {
    /// Waits for a future on a thread of its own, until the run is told to stop or its wall time is up: then the future
    /// is dropped as soon as it lets go of its thread. One that blocks keeps no other from going on.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Failure>> + Send + 'static,
        budget: &Budget,
    ) -> Result<T, Failure> {
        let (sender, receiver) = channel();
        // Dropped when the wait is over, whatever ended it.
        let (_waiting, over) = oneshot::channel::<()>();
        let runtime = start(&self.0.futures, MOST_FUTURES)?;
        let handle = runtime.handle().clone();
        runtime.spawn_blocking(move || {
            let run = AssertUnwindSafe(|| handle.block_on(unless(over, future)));
            // The receiver is gone where the run did not wait for the answer.
            drop(sender.send(catch_unwind(run)));
        });
        let started = Instant::now();
        let wall = budget.limits().wall.map(|limit| limit.saturating_sub(budget.wall()));
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(Ok(Some(result))) => return result,
                // The call catches it, as it does for functions that are not async.
                Ok(Err(panic)) => resume_unwind(panic),
                Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::new(ErrorKind::Internal, "the engine's threads are gone"));
                }
                Err(RecvTimeoutError::Timeout) if budget.stopping() || wall.is_some_and(|w| started.elapsed() > w) => {
                    let stopped = Failure::new(ErrorKind::Timeout, "the wall time limit was reached in a host call");
                    return Err(budget.verdict().cloned().unwrap_or(stopped));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Runs blocking work on one of the engine's own threads.
    pub(crate) fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, Error> {
        Ok(start(&self.0.runs, MOST_RUNS)?.spawn_blocking(work))
    }
}

/// The output of a future, unless something is over before it is there; the future is dropped then.
async fn unless<T>(over: oneshot::Receiver<()>, future: impl Future<Output = T>) -> Option<T> {
    let (mut over, mut future) = (pin!(over), pin!(future));
    poll_fn(|context| match over.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => future.as_mut().poll(context).map(Some),
    })
    .await
}
