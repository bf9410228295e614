//! What confined processes are started from, and what a process does that was started as one.

use skills_core::Failure;
use skills_sandbox::{Executable, Zygotes};
use std::path::PathBuf;
use std::sync::Arc;

/// Where workers come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerSettings {
    /// The executable that the host program names.
    pub(crate) executable: Option<PathBuf>,
    /// Whether the host program's own `main` calls [`worker_main`].
    pub(crate) reexec: bool,
}

impl WorkerSettings {
    /// The processes that workers are forked from. Only looks for the executable.
    pub(crate) fn zygotes(&self) -> Result<Arc<Zygotes>, Failure> {
        let executable = Executable::find(self.executable.as_deref(), self.reexec)?;
        Ok(Arc::new(Zygotes::new(executable, Vec::new())))
    }
}

/// Call this first thing in `main` of a program that workers are started from, before any thread is there: it returns at
/// once in an ordinary process, and never in a worker.
pub fn worker_main() {
    skills_sandbox::entry(&[]);
}
