//! Systems that confinement is not written for.

#[cfg(target_os = "linux")]
use super::Question;
use super::{Confined, Fault};
use crate::{Cage, LayerName};
use skills_core::{Enforcement, LimitName};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// What is the same for every worker of a zygote. There is none on this system.
#[derive(Debug)]
pub struct Base {
    never: std::convert::Infallible,
}

/// Would move the process into namespaces of its own.
///
/// # Errors
/// Always: this system has none.
pub fn enter() -> Result<(), Fault> {
    Err(unsupported())
}

/// As [`enter`].
///
/// # Errors
/// Always.
#[cfg(feature = "test-hooks")]
pub fn enter_without(_without: &[LayerName]) -> Result<(), Fault> {
    enter()
}

/// Holds nothing.
pub fn settle(_memory: u64) {}

/// A filter of system calls. There is none on this system.
#[derive(Debug)]
pub(super) struct Filter {
    never: std::convert::Infallible,
}

impl Filter {
    pub(super) fn apply(&self) -> Result<(), Fault> {
        match self.never {}
    }
}

/// What was found of layers, and of limits whether each held.
pub type Probed = (Vec<(LayerName, Enforcement, String)>, Vec<(LimitName, bool, String)>);

/// What the layers are worth: nothing.
pub fn probe_in_child() -> Probed {
    let layers = LayerName::ALL.into_iter().map(|layer| (layer, Enforcement::Unavailable, unsupported().detail));
    (layers.collect(), Vec::new())
}

fn unsupported() -> Fault {
    Fault::new(LayerName::UserNamespace, "confinement exists on Linux only, on x86_64 and aarch64")
}

impl Base {
    /// Would make the file tree of the workers.
    ///
    /// # Errors
    /// Always: this system has no confinement.
    pub fn prepare(_needs: &[PathBuf]) -> Result<Base, Fault> {
        Err(unsupported())
    }

    /// Would confine the process; there is no `Base` to call it on.
    ///
    /// # Errors
    /// Never.
    pub fn confine(&self, _cage: &Cage, _keep: &[BorrowedFd<'_>]) -> Result<Confined, Fault> {
        match self.never {}
    }

    /// As [`Base::confine`].
    ///
    /// # Errors
    /// Never.
    pub fn confine_family(&self, _cage: &Cage, _keep: &[BorrowedFd<'_>]) -> Result<Calls, Fault> {
        match self.never {}
    }
}

/// The last layer of the processes of a family. There is none on this system.
#[derive(Debug)]
pub struct Calls {
    never: std::convert::Infallible,
}

impl Calls {
    /// Nothing; there is no value to call it on.
    ///
    /// # Errors
    /// Never.
    pub fn of_first(&self) -> Result<(), Fault> {
        match self.never {}
    }

    /// Nothing; there is no value to call it on.
    ///
    /// # Errors
    /// Never.
    pub fn of_member(&self) -> Result<Option<OwnedFd>, Fault> {
        match self.never {}
    }
}

/// Nothing is asked here.
///
/// # Errors
/// Always.
#[cfg(target_os = "linux")]
pub(crate) fn answer(_listener: &OwnedFd, _may: impl FnOnce(Question) -> bool) -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOSYS)
}
