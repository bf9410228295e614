//! Programs in confinement: the launcher.

pub(crate) mod helper;
pub(crate) mod init;
mod launcher;
mod refusals;
mod streams;
mod text;

pub use launcher::ProgramLauncher;
