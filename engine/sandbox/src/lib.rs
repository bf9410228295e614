//! Confinement for the `skills` engine: what the operating system holds code to that is not trusted.
//!
//! - A [`Cage`] says what one confined process may reach and is held to. It is plain data, made from [`Grants`] and [`Limits`].
//! - [`layers`] is the code that runs in the process that is to be confined: it builds the root, drops what it has, and
//!   closes the door behind itself.
//! - A [`Zygote`] is a process of the worker executable that has an interpreter warm. It forks a [`Child`] for each session, which
//!   is confined before it does anything. [`entry`] is what the worker executable calls first.
//!
//! - [`proxy`] is the way out to the network, where hosts are granted: the host answers it, and checks names and addresses.
//!
//! Confinement exists on Linux (x86_64 and aarch64). Elsewhere everything here answers that it is not available.
//!
//! [`Grants`]: skills_core::Grants
//! [`Limits`]: skills_core::Limits

mod cage;
#[cfg(target_os = "linux")]
pub mod caps;
#[cfg(target_os = "linux")]
pub mod container;
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code, unreachable_pub, reason = "built here so that it stays whole"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod entry;
mod executable;
pub mod frame;
mod kernel;
pub mod layers;
#[cfg(target_os = "linux")]
pub mod pool;
#[cfg(target_os = "linux")]
mod program;
pub mod proxy;
#[cfg(target_os = "linux")]
pub mod remote;
mod settings;
#[cfg(target_os = "linux")]
mod text;
#[cfg(target_os = "linux")]
pub mod worker;
#[cfg(target_os = "linux")]
pub mod zygote;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{MakeKernel, ProgramLauncher, Workers, Zygote, Zygotes, caps, entry, remote, worker};

pub use cage::{Cage, Kind, LayerName, Programs};
#[cfg(target_os = "linux")]
pub use entry::{MakeKernel, entry};
pub use executable::Executable;
pub use kernel::Kernel;
#[cfg(target_os = "linux")]
pub use pool::Workers;
#[cfg(target_os = "linux")]
pub use program::ProgramLauncher;
pub use settings::{PoolFigures, PoolSettings};
#[cfg(target_os = "linux")]
pub use zygote::{Child, Ended, Exec, Killer, Payload, Reason, Status, Watch, Zygote, Zygotes};
