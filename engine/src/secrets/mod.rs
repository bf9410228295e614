//! Secrets: where their values come from, and what keeps them out of everything that leaves a run.
//!
//! A script asks for a secret by name (`skill.secret`), and gets it where it was granted. From then on the [`Vault`] of
//! the run knows the value, and takes it out of the result, the output, the error, events, and whatever passes between
//! skills; state refuses it. A text that a script has changed (reversed, cut, encrypted) is not known: this keeps secrets
//! from leaking by accident, and grants keep them from those who must not have them.

mod configured;
mod guard;
mod patterns;
mod redactor;
mod vault;

#[cfg(test)]
mod tests;

pub(crate) use configured::{Configured, NoVariables};
pub(crate) use redactor::{Flow, Redactor};
pub(crate) use vault::{Seen, Vault};
