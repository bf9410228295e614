//! Zygotes on a system that has none: everything answers that it is not available.

#[path = "zygote/kernel.rs"]
mod kernel;
#[path = "zygote/payload.rs"]
mod payload;

pub use kernel::Kernel;
pub use payload::{Ended, Exec, Payload, Reason, Status};

use crate::{Cage, Executable};
use skills_core::{ErrorKind, Failure, Host, Launcher, Layer, Program, Ran};
use std::convert::Infallible;
use std::net::TcpListener;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Makes the kernel of a kind.
pub type MakeKernel = fn() -> Box<dyn Kernel>;

/// Would serve as a worker; there are none on this system.
pub fn entry(_kernels: &[(&str, MakeKernel)]) {}

/// What a child is held to while it is watched.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Memory of it and of what it starts, in bytes, above what it had when the watch began where that is `relative`.
    pub memory: Option<u64>,
    /// Whether memory counts from what the child had when the watch began.
    pub relative: bool,
    /// Processes and threads at once.
    pub processes: Option<u64>,
    /// CPU time as a share of one processor, in percent.
    pub cpu_percent: Option<u64>,
    /// When it is ended for [`Reason::Deadline`].
    pub deadline: Option<Instant>,
}

/// Would have an interpreter warm.
#[derive(Debug)]
pub struct Zygote(Infallible);

impl Zygote {
    /// Would start one.
    ///
    /// # Errors
    /// `unavailable`, always.
    pub fn start(_executable: &Executable, _kind: &str, _needs: &[PathBuf]) -> Result<Zygote, Failure> {
        Err(unavailable())
    }

    /// What the layers are worth: nothing.
    ///
    /// # Errors
    /// Never.
    pub fn probe(_executable: &Executable) -> Result<Vec<Layer>, Failure> {
        let layers = crate::layers::probe_in_child().into_iter();
        Ok(layers.map(|(name, status, detail)| Layer { name: name.as_str(), status, detail }).collect())
    }

    /// Would fork a child; there is no zygote to call it on.
    ///
    /// # Errors
    /// Never.
    pub fn fork(&self, _cage: &Cage, _payload: Payload, _fds: Vec<OwnedFd>) -> Result<Child, Failure> {
        match self.0 {}
    }

    /// Whether it still serves.
    pub fn alive(&self) -> bool {
        match self.0 {}
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        match self.0 {}
    }
}

/// The zygotes of one worker executable.
#[derive(Debug)]
pub struct Zygotes(Executable);

impl Zygotes {
    /// Those of an executable. Nothing is started.
    pub fn new(executable: Executable, _needs: Vec<PathBuf>) -> Zygotes {
        Zygotes(executable)
    }

    /// The executable.
    pub fn executable(&self) -> &Executable {
        &self.0
    }

    /// Would give the zygote of a kind.
    ///
    /// # Errors
    /// `unavailable`, always.
    pub fn get(&self, _kind: &str) -> Result<Arc<Zygote>, Failure> {
        Err(unavailable())
    }

    /// Would fork a child of a kind.
    ///
    /// # Errors
    /// `unavailable`, always.
    pub fn fork(&self, _kind: &str, _cage: &Cage, _payload: Payload, _fds: Vec<OwnedFd>) -> Result<Child, Failure> {
        Err(unavailable())
    }
}

/// A confined process; there is none on this system.
#[derive(Debug)]
pub struct Child(Infallible);

/// Ends a child from anywhere; there is none on this system.
#[derive(Debug, Clone)]
pub struct Killer(Infallible);

impl Child {
    /// Its process.
    pub fn id(&self) -> u32 {
        match self.0 {}
    }

    /// Its process, as a descriptor.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }

    /// The listener of the proxy.
    pub fn take_proxy(&mut self) -> Option<TcpListener> {
        match self.0 {}
    }

    /// Ends it.
    pub fn kill(&self, _reason: Reason) {
        match self.0 {}
    }

    /// What can end it from elsewhere.
    pub fn killer(&self) -> Killer {
        match self.0 {}
    }

    /// Holds it to this from now on.
    pub fn watch(&self, _watch: Watch) {
        match self.0 {}
    }

    /// Lets it be.
    pub fn unwatch(&self) {
        match self.0 {}
    }

    /// Stops it, while nothing runs in it.
    pub fn rest(&self) {
        match self.0 {}
    }

    /// Lets it go on.
    pub fn stir(&self) {
        match self.0 {}
    }

    /// The memory that it holds now.
    pub fn memory(&self) -> u64 {
        match self.0 {}
    }

    /// The most memory that a watch has seen.
    pub fn take_peak(&self) -> u64 {
        match self.0 {}
    }

    /// Its CPU time.
    pub fn cpu(&self) -> Duration {
        match self.0 {}
    }

    /// Waits until it has ended.
    pub fn wait(&self) -> Ended {
        match self.0 {}
    }

    /// How it ended, if it has.
    pub fn wait_for(&self, _patience: Duration) -> Option<Ended> {
        match self.0 {}
    }
}

impl Killer {
    /// Ends the child.
    pub fn kill(&self, _reason: Reason) {
        match self.0 {}
    }
}

/// Runs programs in confinement: none, on this system.
#[derive(Debug)]
pub struct ProgramLauncher(Arc<Zygotes>);

impl ProgramLauncher {
    /// A launcher of these zygotes.
    pub fn new(zygotes: Arc<Zygotes>) -> ProgramLauncher {
        ProgramLauncher(zygotes)
    }
}

impl Launcher for ProgramLauncher {
    fn run(&self, _program: &Program, _host: &Arc<dyn Host>) -> Result<Ran, Failure> {
        Err(unavailable())
    }

    fn layers(&self) -> Vec<Layer> {
        Zygote::probe(self.0.executable()).unwrap_or_default()
    }
}

fn unavailable() -> Failure {
    Failure::new(ErrorKind::Unavailable, "confinement exists on Linux only")
        .with_help("run code that you trust with `--isolation in-process`")
}
