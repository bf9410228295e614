use crate::Error;
use skills_core::{Budget, ErrorKind, Failure};
use std::future::Future;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The engine's own tokio runtime, started when something first needs it. Independent of any runtime of the host:
/// waiting for it is fine on the host's own runtime threads too.
#[derive(Clone, Default)]
pub(crate) struct Runtime(Arc<Started>);

#[derive(Default)]
struct Started(OnceLock<Option<tokio::runtime::Runtime>>);

impl Drop for Started {
    fn drop(&mut self) {
        // Dropping a runtime in the ordinary way waits for its threads, and panics on a thread of another runtime.
        if let Some(Some(runtime)) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// How often a wait looks whether the run was told to stop.
const LOOK: Duration = Duration::from_millis(20);

/// The stack of a thread that runs scripts: room for the deepest nesting that the languages allow.
const STACK: usize = 16 << 20;

impl Runtime {
    fn get(&self) -> Result<&tokio::runtime::Runtime, Failure> {
        let start = || {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("skills-async")
                .thread_stack_size(STACK)
                .enable_all()
                .build()
                .ok()
        };
        (self.0.0.get_or_init(start).as_ref())
            .ok_or_else(|| Failure::new(ErrorKind::Unavailable, "the engine could not start its threads"))
    }

    /// Waits for a future on the engine's own threads, until the run is told to stop or its wall time is up.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Failure>> + Send + 'static,
        budget: &Budget,
    ) -> Result<T, Failure> {
        let (sender, receiver) = channel();
        let task = self.get()?.spawn(async move {
            // The receiver is gone where the run did not wait for the answer.
            drop(sender.send(future.await));
        });
        let started = Instant::now();
        let wall = budget.limits().wall.map(|limit| limit.saturating_sub(budget.wall()));
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::new(ErrorKind::Internal, "a function of the host program panicked"));
                }
                Err(RecvTimeoutError::Timeout) if budget.stopping() || wall.is_some_and(|w| started.elapsed() > w) => {
                    task.abort();
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
        Ok(self.get()?.spawn_blocking(work))
    }
}
