//! The tier `container`: an interpreter worker in a container of Docker, or of another engine with its API.
//!
//! The container runs the worker executable of the host program, bind-mounted read-only into an image that only has to
//! bring a C library of the same kind; frames go over the container's standard input and output, and what the script prints past
//! them comes over its standard error. Everything that confines it is the engine's: its namespaces and seccomp profile, a read-only
//! root, no capabilities, no network, and limits of its control group.

mod config;
mod engine;
mod pump;

pub use config::ContainerOptions;
pub use engine::{Container, ContainerEnd, Containers};

#[cfg(test)]
mod tests;
