//! The tier `container`: an interpreter worker in a container of Docker, or of another engine with its API.
//!
//! The container runs the worker executable of the host program, bind-mounted read-only into an image that only has to
//! bring a C library of the same kind; frames go over the container's standard input and output, and what the script prints past
//! them comes over its standard error. Everything that confines it is the engine's: its namespaces and seccomp profile, a read-only
//! root, no capabilities, no network, and limits of its control group.

#[cfg(feature = "container")]
mod caps;
#[cfg(feature = "container")]
mod config;
#[cfg(feature = "container")]
mod engine;
pub(crate) mod inside;
#[cfg(feature = "container")]
mod pump;

#[cfg(feature = "container")]
pub use config::ContainerOptions;
#[cfg(feature = "container")]
pub use engine::{Container, ContainerEnd, Containers};

#[cfg(all(test, feature = "container"))]
mod tests;
