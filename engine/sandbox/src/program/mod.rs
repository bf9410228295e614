//! Programs in confinement: the launcher.

pub(crate) mod helper;
pub(crate) mod init;
mod launcher;
mod refusals;
mod staying;
mod streams;

pub use launcher::ProgramLauncher;
