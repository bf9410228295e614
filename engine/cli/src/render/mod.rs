//! How things look to a person. Data goes to stdout, everything else to stderr.

mod plan;
mod progress;
mod value;

pub(crate) use plan::{plan, policy};
pub(crate) use progress::Console;
pub(crate) use value::{PADDING, print_table, print_value, print_value_as, ruled_table, table};

use clap::builder::styling::AnsiColor;
use serde_json::Value;
use skills::{Diagnostic, Error};
use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

/// The longest JSON that is indented, in bytes before indenting: indenting makes many times as much of a deep value, and
/// nobody reads that.
const MOST_INDENTED: usize = 1 << 20;

/// Prints JSON on stdout: indented for a person, on one line where it is long.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    let compact = value.to_string();
    let shown = if compact.len() > MOST_INDENTED { compact } else { format!("{value:#}") };
    text(&unless_piped(&shown, stdout_is_terminal()))
}

/// What a skill said, for where it is shown: to the byte for a program that reads it, and without what steers a terminal where
/// one would obey it.
pub(crate) fn unless_piped(text: &str, terminal: bool) -> Cow<'_, str> {
    if terminal { Cow::Owned(harmless(text)) } else { Cow::Borrowed(text) }
}

/// Prints text on stdout, to the byte: it is data, and may be a skill's.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Prints a note on stderr.
pub(crate) fn note(text: &str) {
    to_stderr(&format!("{text}\n"));
}

/// Prints a text on stderr that ends its own lines.
pub(crate) fn lines(text: &str) {
    to_stderr(text);
}

/// Shows a warning on stderr.
pub(crate) fn warning(text: &str) {
    let style = AnsiColor::Yellow.on_default().bold();
    to_stderr(&format!("{style}warning:{style:#} {}\n", harmless(text)));
}

/// Shows an error on stderr.
pub(crate) fn error(error: &Error) {
    rendered_error(&error.render(true));
}

/// Shows an error on stderr that [`Error::render`] has made text of.
pub(crate) fn rendered_error(text: &str) {
    let style = AnsiColor::Red.on_default().bold();
    match text.strip_prefix("error:") {
        Some(rest) => to_stderr(&format!("{style}error:{style:#}{rest}")),
        None => to_stderr(text),
    }
}

/// Shows a diagnostic on stderr.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) {
    to_stderr(&format!("{}\n", diagnostic.render(true)));
}

/// Shows a diagnostic on stdout, where it is what was asked for, with an empty line behind it.
pub(crate) fn found(diagnostic: &Diagnostic) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(format!("{}\n\n", diagnostic.render(true)).as_bytes())?;
    out.flush()
}

/// Anstream takes the colours out again where nobody sees them. Where stderr is closed, nobody can be told.
fn to_stderr(text: &str) {
    drop(anstream::stderr().write_all(text.as_bytes()));
}

/// Text of a definition that nobody has vouched for yet, without what would steer a terminal: control characters as
/// their pictures.
pub(crate) fn harmless(text: &str) -> String {
    let picture = |c: char| match c {
        '\n' | '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or(c),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' => char::REPLACEMENT_CHARACTER,
        // Those that show what follows in another order than it is in.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => c,
    };
    text.chars().map(picture).collect()
}

/// The same on one line, for what must not pass for a line of its own.
pub(crate) fn one_line(text: &str) -> String {
    harmless(text).replace('\n', "\u{240a}")
}

/// Whether a person reads stdout.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether a person reads stderr.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}
