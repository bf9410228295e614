use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a child does once it is confined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// Its kernel's `serve`, with the descriptors it is given.
    Serve,
    /// The same in a child of its own, which can be copied. Over the last descriptor the host says what it is to do with those.
    Family,
    /// A program. The descriptors it is given are its standard input, output and error, where how it ended is written to,
    /// and the helper's socket where it has one.
    Exec(Exec),
}

/// A program for a child to become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec {
    /// Where its executable is, inside.
    pub executable: PathBuf,
    /// Its arguments, its own name first.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Whether the program `skill` is in its `PATH`. It talks over the last descriptor that is given.
    pub helper: bool,
    /// Whether the first descriptor beside the standard ones and its end's is one for it to say something on.
    #[serde(default)]
    pub says: bool,
}

/// Why the host ended a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Reason {
    /// Its time was up.
    Deadline = 1,
    /// It and what it started held too much memory.
    Memory,
    /// It wrote too much.
    Output,
    /// It started too many processes.
    Processes,
    /// The caller cancelled it.
    Cancelled,
    /// Nobody needs it any more.
    Finished,
}

/// How the kernel saw a child end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It exited with a code.
    Exited(i32),
    /// A signal ended it; of the host, where there is a [`Reason`].
    Signalled(i32),
    /// Its zygote ended, and it with that.
    Lost,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How the kernel saw it.
    pub status: Status,
    /// Why the host ended it, if it did.
    pub reason: Option<Reason>,
    /// The reading that was too large, for [`Reason::Memory`] and [`Reason::Processes`].
    pub reading: Option<u64>,
    /// CPU time of it and of what it started.
    pub cpu: Duration,
    /// The most memory, in bytes, that was seen in it and in what it started.
    pub peak_memory: u64,
}
