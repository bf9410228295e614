//! Confinement on Linux: one file a layer, in the order in which [`Base::confine`] puts them on.

mod descriptors;
mod ids;
mod landlock;
mod loopback;
mod namespaces;
mod probe;
mod programs;
mod rlimits;
mod root;
mod seccomp;

use super::{Confined, Fault, PROXY_PORT, environment, fault};
use crate::Cage;
use crate::LayerName::{
    self, Capabilities, Descriptors, Environment, Landlock, NoNewPrivs, PidNamespace, Rlimits, Root, Seccomp, Uid,
};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

pub use probe::{Probed, probe_in_child};
pub use rlimits::settle;
pub(super) use seccomp::Filter;
pub(crate) use seccomp::asked::answer;

/// What is the same for every worker of a zygote, made once.
#[derive(Debug)]
pub struct Base {
    tree: Option<root::Tree>,
    filters: seccomp::Filters,
}

/// Moves the calling process into namespaces of its own: user, mount, ipc, network and host name at once, processes from its
/// next child on. The caller's user becomes user 1000 inside, whoever it is, with all capabilities over what is inside.
///
/// # Errors
/// What the kernel refuses. The process may then be in some of them, and must end.
pub fn enter() -> Result<(), Fault> {
    namespaces::enter(&[])
}

/// [`enter`], with layers left out.
///
/// # Errors
/// As [`enter`].
#[cfg(feature = "test-hooks")]
pub fn enter_without(without: &[LayerName]) -> Result<(), Fault> {
    namespaces::enter(without)
}

impl Base {
    /// Makes the file tree of the workers and moves the process into it. `needs` are files and folders of the host that every
    /// worker reads, such as an interpreter's library.
    ///
    /// # Errors
    /// What the kernel refuses, what it lacks for the layers that are put on later, and needs that are not there.
    pub fn prepare(needs: &[PathBuf]) -> Result<Base, Fault> {
        landlock::require()?;
        Ok(Base { tree: Some(root::Tree::make(needs)?), filters: seccomp::Filters::compile()? })
    }

    /// A base without a tree of its own, for workers that leave the layers of the tree out.
    ///
    /// # Errors
    /// Where the filters cannot be compiled.
    #[cfg(feature = "test-hooks")]
    pub fn without_tree() -> Result<Base, Fault> {
        Ok(Base { tree: None, filters: seccomp::Filters::compile()? })
    }

    /// Confines the calling process for good. Every descriptor but the standard three and those of `keep` is closed, so the caller
    /// must not use, nor drop, anything else that it has open.
    ///
    /// # Errors
    /// What the kernel refuses. The process is then confined in part, and must end.
    pub fn confine(&self, cage: &Cage, keep: &[BorrowedFd<'_>]) -> Result<Confined, Fault> {
        let confined = self.put_on(cage, keep)?;
        if !left_out(cage).contains(&Seccomp) {
            self.filters.apply(cage)?;
        }
        Ok(confined)
    }

    /// Confines the calling process but for its system calls: what these may be is different for the first process of a family
    /// and for its members, which are forked from it.
    ///
    /// # Errors
    /// As [`Base::confine`].
    pub fn confine_family(&self, cage: &Cage, keep: &[BorrowedFd<'_>]) -> Result<Calls, Fault> {
        self.put_on(cage, keep)?;
        Ok(Calls(Some(self.filters.of_family()).filter(|_| !left_out(cage).contains(&Seccomp))))
    }

    fn put_on(&self, cage: &Cage, keep: &[BorrowedFd<'_>]) -> Result<Confined, Fault> {
        let without = left_out(cage);
        let with = |layer: LayerName| !without.contains(&layer);
        namespaces::leave_zygote(without)?;
        let proxy = if cage.network { Some(loopback::listen()?) } else { None };
        let mut shown = root::Shown::default();
        if let Some(tree) = self.tree.as_ref().filter(|_| with(Root)) {
            shown = tree.enter(cage)?;
        }
        let executables = programs::Executables::of(cage);
        if let Some(tree) = self.tree.as_ref().filter(|_| with(Root) && executables.paths().next().is_some()) {
            tree.mask(&executables)?;
        }
        if with(Uid) {
            ids::check_user()?;
        }
        if let Some(proc) = shown.proc.take() {
            // Before that: whoever is not above the namespace may not say this.
            if let Some(processes) = cage.processes.filter(|_| with(PidNamespace)) {
                namespaces::bound(&proc, processes);
            }
            namespaces::count_apart(&proc)?;
        }
        if with(Environment) {
            environment::replace(cage.network)?;
        }
        if with(Descriptors) {
            let proxy = proxy.as_ref().map(AsRawFd::as_raw_fd);
            descriptors::close_others(&keep.iter().map(AsRawFd::as_raw_fd).chain(proxy).collect::<Vec<_>>())?;
        }
        start_in(cage);
        if with(Capabilities) {
            ids::drop_capabilities()?;
        }
        if with(NoNewPrivs) {
            ids::no_new_privs()?;
        }
        if with(Rlimits) {
            rlimits::hold(cage)?;
        }
        if let Some(tree) = self.tree.as_ref().filter(|_| with(Landlock)) {
            landlock::restrict(tree, &shown, cage, &executables)?;
        }
        Ok(Confined { proxy, alone: self.filters.alone(cage).filter(|_| with(Seccomp)) })
    }
}

/// The last layer of the processes of a family.
#[derive(Debug)]
pub struct Calls(Option<(seccomp::Filter, seccomp::Filter)>);

impl Calls {
    /// Puts it on the first process.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn of_first(&self) -> Result<(), Fault> {
        self.0.as_ref().map_or(Ok(()), |(_, copies)| copies.apply())
    }

    /// Puts it on a member, which can then start threads only; gives where it asks for a copy of itself, where the kernel has
    /// that.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn of_member(&self) -> Result<Option<OwnedFd>, Fault> {
        let asked = seccomp::asked::listen().ok();
        if let Some((threads, copies)) = &self.0 {
            if asked.is_some() { copies } else { threads }.apply()?;
        }
        Ok(asked)
    }
}

/// The layers that a cage leaves out: none, but in builds for tests.
fn left_out(cage: &Cage) -> &[LayerName] {
    if cfg!(feature = "test-hooks") { &cage.without } else { &[] }
}

/// A session and a folder of the worker's own.
fn start_in(cage: &Cage) {
    // Refused where the process leads a group, which then is its own already.
    let _ = rustix::process::setsid();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let folder = cage.directory.as_deref().unwrap_or(Path::new("/tmp"));
    if rustix::process::chdir(folder).is_err() {
        // Not granted, or gone: the private folder is always there.
        let _ = rustix::process::chdir("/tmp");
    }
}
