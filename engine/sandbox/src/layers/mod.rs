//! The layers of confinement, put on from inside by the process that is to be confined.
//!
//! A zygote calls [`enter`] when it starts, forks once so that the fork is the first process of the new namespaces, and there
//! calls [`Base::prepare`]: the file tree that all its workers see is then made, and the zygote lives in it. Each worker is a fork
//! of it, in a process namespace of its own, which calls [`Base::confine`] before anything of a skill runs.
//!
//! All of this runs in single-threaded processes. Nothing here may be called from a host program's own process.

mod environment;
mod fault;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "linux/mod.rs"]
mod system;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "other.rs"]
mod system;

pub use environment::environment;
pub use fault::Fault;
#[cfg(target_os = "linux")]
pub(crate) use system::answer;
#[cfg(feature = "test-hooks")]
pub use system::enter_without;
pub use system::{Base, Calls, Probed, enter, probe_in_child, settle};

use std::net::TcpListener;

/// The port of the loopback interface of a confined process where the proxy listens.
pub const PROXY_PORT: u16 = 3128;

/// What a process asks for, by whom the kernel says it is: a thread, as the one who is asked numbers it.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// To fork.
    Fork {
        /// Who asks.
        asker: i32,
    },
    /// To do something to a process: to signal it, to limit it, to say where it runs.
    Reach {
        /// Who asks.
        asker: i32,
        /// What is to be reached; groups of processes are 0 and below.
        target: i32,
    },
}

/// What a process has once it is confined.
#[derive(Debug)]
pub struct Confined {
    /// The listener on [`PROXY_PORT`], where the network is granted: it is for the host, which answers on it.
    pub proxy: Option<TcpListener>,
    /// What is still to be put on before a program is executed that may start no process.
    alone: Option<system::Filter>,
}

impl Confined {
    /// The last step of a process that is about to execute its program: where no programs are granted, it cannot fork from here
    /// on. It is a step of its own because the first process of the namespace forks once, to start the program.
    ///
    /// # Errors
    /// What the kernel refuses. The process must end then.
    pub fn before_program(&self) -> Result<(), Fault> {
        self.alone.as_ref().map_or(Ok(()), system::Filter::apply)
    }
}
