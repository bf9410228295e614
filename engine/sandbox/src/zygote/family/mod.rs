//! Members that are copies of one another.
//!
//! A fork of a process lies in that process's own namespace of processes, and ends with the first process of it. So the worker of a
//! living session is not the first: a small process that runs no code of a session is, and the worker and all its copies are
//! children of that. It ends when the host has let go of the last of them.
//!
//! Members can start no process by themselves. A fork of theirs waits until the first process has answered whether it may be, and
//! that is told by the host. Which process it is that a copy became, the kernel says to the host, beside the copy's greeting. They
//! share a namespace of processes, but a signal, or another call that reaches a process, waits for an answer as well: to itself
//! each may do what it likes, and to the others nothing.

pub(super) mod inside;

use super::child::{Child, Tree};
use super::payload::Payload;
use super::wire;
use super::{Zygotes, tree};
use crate::Cage;
use inside::FamilyOrder;
pub(crate) use inside::greet;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use skills_core::{ErrorKind, Failure};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// The first process of a family, seen from the host. Dropping it ends all members.
#[derive(Debug)]
pub(crate) struct Family {
    orders: Mutex<OwnedFd>,
    first: Child,
    cage: Cage,
}

impl Family {
    /// Whether a cage is one of a family: what its members could start, or whom they could talk to, cannot be told apart.
    pub(crate) fn suits(cage: &Cage) -> bool {
        cage.programs == crate::Programs::None && !cage.network
    }

    /// Starts a family, and its first member with `fds`.
    pub(crate) fn start(
        zygotes: &Zygotes,
        kind: &str,
        cage: &Cage,
        mut fds: Vec<OwnedFd>,
    ) -> Result<Arc<Family>, Failure> {
        /// How many members there may be at once, as far as the kernel's own limit on processes goes: it counts them
        /// together. Each by itself is held by the watch.
        const MEMBERS: u64 = 16;
        let (orders, far) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .map_err(|error| broken(&error.to_string()))?;
        fds.push(far);
        let wider = cage.processes.map(|most| most.saturating_add(4).saturating_mul(MEMBERS));
        let first = zygotes.fork(kind, &Cage { processes: wider, ..cage.clone() }, Payload::Family, fds)?;
        Ok(Arc::new(Family { orders: Mutex::new(orders), first, cage: cage.clone() }))
    }

    /// Lets a member be copied from now on, and no other.
    pub(crate) fn copy(&self, member: &Child) -> Result<(), Failure> {
        let process = tree::inner_id(member.id()).ok_or_else(|| broken("it has ended"))?;
        self.order(&FamilyOrder::Copy { process }, &[])
    }

    /// Lets nobody be copied any more.
    pub(crate) fn copied(&self) -> Result<(), Failure> {
        self.order(&FamilyOrder::Copied, &[])
    }

    fn order(&self, order: &FamilyOrder, fds: &[BorrowedFd<'_>]) -> Result<(), Failure> {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        wire::send_order(orders.as_fd(), order, fds).map_err(|error| broken(&error.to_string()))
    }

    /// Takes a process that has greeted for a member.
    pub(crate) fn member(self: &Arc<Family>, id: u32) -> Result<Child, Failure> {
        let ours = || tree::parent(id) == Some(self.first.id());
        let pid = Pid::from_raw(i32::try_from(id).unwrap_or(0)).ok_or_else(|| broken("it has no number"))?;
        if !ours() {
            return Err(broken("it is of no family"));
        }
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| broken(&error.to_string()))?;
        let process = tree::inner_id(id);
        // Only now it is certain that the descriptor is of that process.
        let process = process.filter(|_| ours()).ok_or_else(|| broken("it has ended"))?;
        let (line, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| broken(&error.to_string()))?;
        self.order(&FamilyOrder::Adopt { process }, &[far.as_fd()])?;
        let tree = Tree::count(pidfd, &self.cage, false)?;
        Ok(Child::member(Arc::new(tree), line, Arc::clone(self)))
    }
}

fn broken(what: &str) -> Failure {
    Failure::new(ErrorKind::Crashed, format!("a worker of a family could not be had: {what}"))
}
