//! Runs steps of a skill that are no script of an embedded interpreter: programs, and bash.
//!
//! - [`CommandSpec`] is a program as a definition declares it; [`Invocation`] is one run of it, ready to start.
//! - [`shell`] rewrites shell source so that no text of a parameter ever becomes source.
//! - [`Shell`] is a living shell: a session of bash. [`Resident`] is any other program that stays, asked by its [`Protocol`].
//! - [`environment`] says which variables a definition may set, and which ones a program finds.
//!
//! Nothing here starts a process: a [`Launcher`](skills_core::Launcher) does, in confinement.

mod command;
pub mod environment;
mod living;
pub mod shell;

pub use command::{Call, CommandSpec, ExitMeaning, Invocation, Machine, OutputForm, Stdin, run};
pub use living::{Known, Pattern, Protocol, Resident, Shell, completeness, known, reads_code};
