//! The outside of a worker: an interpreter whose sessions are processes.
//!
//! [`Remote`] is an [`Interpreter`](skills_core::Interpreter) like any other; each of its sessions is one worker, and what its
//! script asks of the host comes over a socket and is answered here, with the grants of the run as the host knows them.
//! Nothing that a worker says is believed but the value that its script gives: the clock, the output, the calls, the memory
//! and the processor time are the host's own readings.

#[cfg(feature = "container")]
mod contained;
mod control;
mod death;
mod fork;
mod interpreter;
mod line;
mod live;
mod process;
mod session;

#[cfg(feature = "container")]
pub use contained::open_in_container;
pub use interpreter::Remote;
pub(crate) use session::RemoteSession;
