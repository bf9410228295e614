//! Tests of zygotes and of what they fork. This executable is the worker's as well: it calls the entry first.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests look at the machine from outside")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

mod copies;
mod forks;
mod helper;
mod host;
mod kernels;
mod leaks;
mod limits;
mod live;
mod programs;
mod toy;

use libtest_mimic::{Arguments, Trial};
use skills_core::ErrorKind;
use skills_sandbox::Zygote;
use std::process::ExitCode;

fn main() -> ExitCode {
    skills_sandbox::entry(kernels::ALL);
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some(leaks::HOLD) => {
            leaks::hold(&words.next().unwrap_or_default());
            return ExitCode::SUCCESS;
        }
        Some(leaks::ROUNDS) => {
            leaks::rounds();
            return ExitCode::SUCCESS;
        }
        Some(copies::COPIES) => {
            copies::copies();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let arguments = Arguments::from_args();
    let tests = [
        forks::tests(),
        programs::tests(),
        limits::tests(),
        helper::tests(),
        leaks::tests(),
        live::tests(),
        copies::tests(),
    ];
    libtest_mimic::run(&arguments, tests.into_iter().flatten().collect()).exit_code()
}

/// A test of a name. Where nothing can be confined it says why it is skipped.
fn test(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        match Zygote::start(&forks::me(), "command", &[]) {
            Err(failure) if failure.kind == ErrorKind::Unavailable => println!("skipped: {}", failure.message),
            _ => run(),
        }
        Ok(())
    })
}
