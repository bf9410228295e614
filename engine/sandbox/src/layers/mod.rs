//! The layers of confinement, put on from inside by the process that is to be confined.
//!
//! A zygote calls [`enter`] when it starts, forks once so that the fork is the first process of the new namespaces, and there
//! calls [`Base::prepare`]: the file tree that all its workers see is then made, and the zygote lives in it. Each worker is a fork
//! of it, in a process namespace of its own, which calls [`Base::confine`] before anything of a skill runs.
//!
//! All of this runs in single-threaded processes. Nothing here may be called from a host program's own process.

mod fault;

pub use fault::Fault;

use crate::Cage;
use std::net::TcpListener;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

/// The port of the loopback interface of a confined process where the proxy listens.
pub const PROXY_PORT: u16 = 3128;

/// What is the same for every worker of a zygote, made once.
#[derive(Debug)]
pub struct Base {
    _private: (),
}

/// What a process has once it is confined.
#[derive(Debug)]
pub struct Confined {
    /// The listener on [`PROXY_PORT`], where the network is granted: it is for the host, which answers on it.
    pub proxy: Option<TcpListener>,
}

/// Moves the calling process into namespaces of its own: user, mount, ipc, network and host name at once, processes from its
/// next child on. The caller's user becomes user 1000 inside.
///
/// # Errors
/// What the kernel refuses; nothing has changed then.
pub fn enter() -> Result<(), Fault> {
    Err(Fault::unsupported())
}

impl Base {
    /// Makes the file tree of the workers and moves the process into it. `needs` are files and folders of the host that every
    /// worker reads, such as an interpreter's library.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn prepare(_needs: &[PathBuf]) -> Result<Base, Fault> {
        Err(Fault::unsupported())
    }

    /// Confines the calling process for good. Every descriptor but the standard three and those of `keep` is closed.
    ///
    /// # Errors
    /// What the kernel refuses. The process is then confined in part, and must end.
    pub fn confine(&self, _cage: &Cage, _keep: &[BorrowedFd<'_>]) -> Result<Confined, Fault> {
        Err(Fault::unsupported())
    }
}

/// Tries every layer once, in throw-away children, and says what was found.
///
/// For a single-threaded process: the worker executable, started for that.
pub fn probe_in_child() -> Vec<(crate::LayerName, skills_core::Enforcement, String)> {
    Vec::new()
}
