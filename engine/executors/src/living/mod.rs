//! Programs that stay, as sessions.

mod answers;
mod shell;

pub use shell::Shell;
