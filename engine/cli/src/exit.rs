//! The one place that maps what went wrong to an exit code.

use crate::host::{Failed, Refusal};
use crate::render;
use serde_json::json;
use skills::{Error, ErrorKind, Failure};
use std::process::ExitCode;

/// How a command ends when it does not simply succeed.
pub(crate) enum Stop {
    /// The engine says why.
    Error(Box<Error>),
    /// The session host says why.
    Told(Box<Refusal>),
    /// It has been said already; only the code is left.
    Code(u8),
    /// Wrong use of the command, or its help: clap words it. Says whether JSON was asked for.
    Usage(clap::Error, bool),
    /// Stdout does not take what there is to print.
    Output(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Stop {
        Stop::Output(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(Box::new(error))
    }
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Stop {
        match failed {
            Failed::Refused(refusal) => Stop::Told(refusal),
            Failed::Error(error) => error.into(),
            Failed::Output(error) => Stop::Output(error),
        }
    }
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Stop {
        Stop::Usage(error, false)
    }
}

/// Wrong use of the command.
pub(crate) const USAGE: u8 = 2;

/// A definition or arguments that have errors.
pub(crate) const INVALID: u8 = 5;

/// The skill failed.
const FAILED: u8 = 1;

/// A part that is not there.
pub(crate) const UNAVAILABLE: u8 = 3;

/// Interrupted by the person.
pub(crate) const INTERRUPTED: u8 = 130;

/// The exit code of an error.
pub(crate) fn code(error: &Failure) -> u8 {
    match error.kind {
        // What a script did wrong is the script's failure, and not that of whoever called it.
        ErrorKind::Unavailable | ErrorKind::NotFound | ErrorKind::InvalidDefinition | ErrorKind::InvalidArguments
            if error.language.is_some() =>
        {
            FAILED
        }
        ErrorKind::Unavailable => UNAVAILABLE,
        ErrorKind::NotFound => 4,
        ErrorKind::InvalidDefinition | ErrorKind::InvalidArguments => INVALID,
        ErrorKind::PermissionDenied => 6,
        ErrorKind::Timeout => 124,
        ErrorKind::Cancelled => INTERRUPTED,
        ErrorKind::MemoryLimit => 137,
        _ => FAILED,
    }
}

/// Ends the command: says what is still to be said, and gives the code.
pub(crate) fn report(result: Result<(), Stop>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Code(code)) => ExitCode::from(code),
        Err(Stop::Error(error)) => {
            render::error(&error);
            ExitCode::from(code(error.failure()))
        }
        Err(Stop::Told(refusal)) => {
            render::rendered_error(&refusal.shown);
            ExitCode::from(code(&refusal.failure))
        }
        // Who read it has had enough (`| head -1`): that is no failure.
        Err(Stop::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Stop::Output(error)) => {
            render::note(&format!("error: cannot write to standard output: {error}"));
            ExitCode::FAILURE
        }
        // Help and version are no errors: clap prints those on stdout.
        Err(Stop::Usage(error, as_json)) => {
            match as_json && error.use_stderr() {
                true => drop(render::json(&json!({"error": misuse(&error).to_json()}))),
                false => drop(error.print()),
            }
            ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
        }
    }
}

/// Wrong use as an error: what is wrong, then how it is used.
fn misuse(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let (what, how) = text.split_once("\n\n").unwrap_or((text, ""));
    let lines: Vec<&str> = what.lines().map(str::trim).collect();
    let error = Error::new(ErrorKind::InvalidArguments, lines.join(" "));
    if how.trim().is_empty() { error } else { error.with_help(how.trim()) }
}
