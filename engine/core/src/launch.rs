use crate::{Enforcement, Failure, Host};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A program to run in confinement. What it may reach, its budget, and where its output goes are those of a [`Host`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The executable: an absolute path of the host's.
    pub executable: PathBuf,
    /// Its arguments, the first after its own name.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The folder that it starts in; a private empty one where there is none.
    pub directory: Option<PathBuf>,
    /// What it reads from its standard input, which then ends.
    pub stdin: Vec<u8>,
    /// Files and folders that it needs to read beside what is granted, such as its own script.
    pub needs: Vec<PathBuf>,
    /// Whether the program `skill`, which reaches the host's functions, is in its `PATH`.
    pub helper: bool,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It exited with a code.
    Exited(i32),
    /// A signal ended it that the launcher did not send.
    Signalled(i32),
}

/// What a confined program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// What it wrote to its standard output, as bytes: for the result, while the host gets the text as it comes.
    pub stdout: Vec<u8>,
    /// CPU time of it and of all that it started.
    pub cpu: Option<Duration>,
    /// The most memory that it and all that it started held at once, in bytes.
    pub peak_memory: Option<u64>,
}

/// One layer of confinement, or one limit, as it was found on this machine by trying it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Layer {
    /// Its name: `user_namespace`, `landlock`, `seccomp`, …
    pub name: &'static str,
    /// How far it holds.
    pub status: Enforcement,
    /// What was found, for a person.
    pub detail: String,
}

/// Runs programs in confinement.
pub trait Launcher: Send + Sync {
    /// Runs a program to its end, within the grants and the budget of `host`, which also takes its output.
    ///
    /// # Errors
    /// What the launcher itself ended it for: `timeout`, `memory_limit`, `output_limit`, `cancelled`; `not_found` and
    /// `permission_denied` where it cannot be started; `unavailable` where this machine cannot confine it.
    fn run(&self, program: &Program, host: &Arc<dyn Host>) -> Result<Ran, Failure>;

    /// What confinement is worth here, layer by layer. Tries each once for the process.
    fn layers(&self) -> Vec<Layer>;
}
