use crate::{CapStatus, Enforcement, ErrorKind, Failure, Held, Host};
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
    /// Whether it has a descriptor of its own to say something on beside its output. Its number is in [`Program::SAYS`].
    pub says: bool,
}

impl Program {
    /// The variable with the number of the descriptor of a program that `says`.
    pub const SAYS: &str = "SKILLS_SAYS";
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

/// A signal as people know it, by the number that Linux gives it: `signal 9 (SIGKILL)`.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal} ({name})")
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

/// Something that a living program wrote, or that it writes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard<'a> {
    /// To its standard output, as bytes and as text.
    Stdout(&'a [u8], &'a str),
    /// To its standard error.
    Stderr(&'a str),
    /// On the descriptor that it has beside these: [`Program::says`].
    Said(&'a [u8]),
    /// Nothing for a moment, though it has all of its input.
    Quiet,
}

/// What takes what a living program writes, and gives whether that is all that was waited for.
pub type Listener<'a> = dyn FnMut(Heard<'_>) -> Result<bool, Failure> + 'a;

/// A confined program that stays. Dropping it ends it, with all that it started.
pub trait Staying {
    /// Writes to its standard input, and gives the listener what it writes until that has what it waits for; then also what
    /// has been written to the other streams by then. Gives how it ended, where it ended first.
    ///
    /// A budget that stops the run interrupts the program, as Ctrl-C would; one that goes on all the same is ended. The same
    /// becomes of one whose listener refuses what it wrote, which hears no more then but what is said.
    ///
    /// # Errors
    /// The verdict of the budget, the listener's error, and what the program was ended for.
    fn talk(&mut self, input: &[u8], listen: &mut Listener<'_>, host: &Arc<dyn Host>) -> Result<Option<End>, Failure>;

    /// Gives the listener what it has written since the last talk, and waits for nothing.
    ///
    /// # Errors
    /// The listener's error.
    fn catch_up(&mut self, listen: &mut Listener<'_>) -> Result<(), Failure>;

    /// Whether it is there.
    fn is_alive(&self) -> bool;

    /// What it and all that it started hold and have used.
    fn held(&self) -> Held;
}

/// Runs programs in confinement.
pub trait Launcher: Send + Sync {
    /// Runs a program to its end, within the grants and the budget of `host`, which also takes its output.
    ///
    /// # Errors
    /// What the launcher itself ended it for: `timeout`, `memory_limit`, `output_limit`, `cancelled`; `not_found` and
    /// `permission_denied` where it cannot be started; `unavailable` where this machine cannot confine it.
    fn run(&self, program: &Program, host: &Arc<dyn Host>) -> Result<Ran, Failure>;

    /// Starts a program that stays. Its standard input is open until it is dropped.
    ///
    /// # Errors
    /// As [`Launcher::run`]; `unavailable` where the launcher runs programs to their end only.
    fn start(&self, _program: &Program, _host: &Arc<dyn Host>) -> Result<Box<dyn Staying>, Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "programs are run to their end here, and none can stay"))
    }

    /// What confinement is worth here, layer by layer. Tries each once for the process.
    fn layers(&self) -> Vec<Layer>;

    /// What each limit is worth for a program here, as it is known without starting anything.
    fn caps(&self) -> Vec<CapStatus>;

    /// The same, with what came of going beyond those that can be tried.
    ///
    /// # Errors
    /// `unavailable` where this machine cannot confine programs.
    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        Ok(self.caps())
    }
}
