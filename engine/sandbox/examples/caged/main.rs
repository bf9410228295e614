//! Confines itself as a worker would be, does something hostile, and says what came of it: for the tests of the layers.
//!
//! `caged '{"cage": {…}, "actions": [["read", "/etc/shadow"]]}'` prints one line of JSON an action: what it gave, or the error.
//! With `"run"`, the process becomes that program instead. With `"rounds"`, it measures what a fork and its confinement cost.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a program for tests"
)]
#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
mod actions;
#[cfg(target_os = "linux")]
mod run;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
