//! How things look to a person. Data goes to stdout, everything else to stderr.

mod plan;
mod progress;
mod value;

pub(crate) use plan::plan;
pub(crate) use progress::Console;
pub(crate) use value::{print_value, table};

use anstream::{eprint, eprintln, println};
use serde_json::Value;
use skills::{Diagnostic, Error};
use std::io::IsTerminal as _;

/// Prints JSON on stdout, pretty.
pub(crate) fn json(value: &Value) {
    println!("{value:#}");
}

/// Prints text on stdout.
pub(crate) fn text(text: &str) {
    println!("{text}");
}

/// Prints a note on stderr.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Shows an error on stderr.
pub(crate) fn error(error: &Error) {
    eprint!("{}", error.render(true));
}

/// Shows a diagnostic on stderr.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) {
    // Colours are taken out again by anstream where nobody sees them.
    eprintln!("{}", diagnostic.render(true));
}

/// Whether a person reads stdout.
pub(crate) fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a person reads stderr.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
