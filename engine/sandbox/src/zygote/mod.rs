//! Zygotes and their children, seen from the host.
//!
//! A [`Zygote`] is a process of the worker executable that has one kind of interpreter warm, in namespaces of its own. It forks
//! a [`Child`] when it is told to, which is confined before it does anything. When the host program ends, however it does, the
//! zygote ends, and the kernel ends everything below it.

pub(crate) mod cgroup;
mod child;
pub(crate) mod family;
mod payload;
mod rest;
pub(crate) mod server;
mod start;
mod tree;
mod watch;
pub(crate) mod wire;
mod zygotes;

pub use crate::kernel::Kernel;
pub use child::{Child, Killer};
pub use payload::{Ended, Exec, Payload, Reason, Status};
pub use start::Zygote;
pub use watch::Watch;
pub use zygotes::Zygotes;
