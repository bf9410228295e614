//! Tests of zygotes and of what they fork. This executable is the worker's as well: it calls the entry first.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests look at the machine from outside")]

mod forks;
mod helper;
mod host;
mod kernels;
mod limits;
mod programs;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    skills_sandbox::entry(kernels::ALL);
    let arguments = Arguments::from_args();
    let tests: Vec<Trial> =
        forks::tests().into_iter().chain(programs::tests()).chain(limits::tests()).chain(helper::tests()).collect();
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// A test of a name.
fn test(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}
