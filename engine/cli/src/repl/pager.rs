//! Text that may be longer than the terminal is high.

use super::{Repl, external};
use crate::render;
use std::io;
use unicode_width::UnicodeWidthStr as _;

/// Prints a text; in the person's pager where it does not fit.
pub(crate) fn show(repl: &Repl, text: &str) -> io::Result<()> {
    let (columns, rows) = repl.screen.size();
    let takes = |line: &str| anstream::adapter::strip_str(line).to_string().width().div_ceil(columns).max(1);
    let fits = text.lines().map(takes).sum::<usize>() < rows;
    let person = repl.screen.terminal
        && repl.editor.is_some()
        && repl.surroundings.var("TERM").is_some_and(|term| term != "dumb");
    if !fits && person && external::page(&repl.surroundings, text) {
        return Ok(());
    }
    render::text(text)
}
