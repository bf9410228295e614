//! Interpolations written out as calls: `${x}` is compiled as `${__text({x})}`.
//!
//! Where Rhai's own conversion inside an interpolation is stopped, by a limit or by the watchdog, it falls back to
//! writing the whole value without any check: an array that holds one long string many times would then take all the
//! memory there is. A call that is stopped just ends.

use crate::last_value::LastValue;
use rhai::{Engine, Position, Token};
use std::sync::{Arc, Mutex, PoisonError};

/// The function that is called for each interpolation.
pub(crate) const TEXT: &str = "__text";

const BEFORE: &str = "__text({";
const AFTER: &str = "})";

/// A source with its interpolations written out, and how to find places of the original in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    pub(crate) source: String,
    /// Line and column, both from 1, of what was inserted, and its length in characters; in order.
    inserted: Vec<(usize, usize, usize)>,
}

impl Written {
    /// The column in the original of a place in what was compiled.
    pub(crate) fn column(&self, line: usize, column: usize) -> usize {
        let mut original = column;
        for (_, start, length) in self.inserted.iter().filter(|(at, ..)| *at == line) {
            if column >= *start {
                original -= (*length).min(column - start);
            }
        }
        original.max(1)
    }
}

/// A brace that opens or closes an interpolation, by line and column.
#[derive(Debug, Clone, Copy)]
struct Brace {
    line: usize,
    column: usize,
    opens: bool,
}

/// Writes the interpolations of a source out; nothing where that cannot be done, which only happens to sources with
/// lines of more than 65,535 characters or as many lines.
///
/// # Errors
/// The source does not parse.
pub(crate) fn write_out(engine: Engine, source: &str) -> Result<Option<Written>, rhai::ParseError> {
    let braces = find(engine, source)?;
    let mut written = Written::default();
    let mut braces = braces.into_iter().peekable();
    for (index, text) in source.split_inclusive('\n').enumerate() {
        let line = index + 1;
        let mut out_column = 0;
        for (column, c) in (1..).zip(text.chars()) {
            out_column += 1;
            let Some(brace) = braces.next_if(|brace| (brace.line, brace.column) == (line, column)) else {
                written.source.push(c);
                continue;
            };
            if c != (if brace.opens { '{' } else { '}' }) {
                return Ok(None);
            }
            let (insert, start) = if brace.opens { (BEFORE, out_column + 1) } else { (AFTER, out_column) };
            let length = insert.chars().count();
            written.inserted.push((line, start, length));
            out_column += length;
            if brace.opens {
                written.source.push(c);
                written.source.push_str(insert);
            } else {
                written.source.push_str(insert);
                written.source.push(c);
            }
        }
    }
    Ok(braces.next().is_none().then_some(written))
}

/// Parses a source for the braces of its interpolations.
fn find(mut engine: Engine, source: &str) -> Result<Vec<Brace>, rhai::ParseError> {
    let finder = Arc::new(Mutex::new(Finder::default()));
    let here = Arc::clone(&finder);
    // Not deprecated: that is how Rhai marks what may change between its releases.
    #[allow(deprecated)]
    engine.on_parse_token(move |token, at, _| {
        let mut here = here.lock().unwrap_or_else(PoisonError::into_inner);
        here.see(&token, at);
        here.last.name(token)
    });
    engine.compile(source)?;
    let mut finder = finder.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut finder.found))
}

/// Follows a script's tokens.
#[derive(Default)]
struct Finder {
    found: Vec<Brace>,
    /// For each brace that is open, whether it opens an interpolation.
    open: Vec<bool>,
    /// Whether the next brace opens an interpolation.
    expects: bool,
    /// So that a `_` which a session's own engine takes for a name does not stop this one.
    last: LastValue,
}

impl Finder {
    fn see(&mut self, token: &Token, at: Position) {
        let interpolates = match token {
            Token::InterpolatedString(..) => {
                self.expects = true;
                return;
            }
            Token::LeftBrace | Token::MapStart => {
                self.open.push(self.expects);
                std::mem::take(&mut self.expects)
            }
            Token::RightBrace => self.open.pop().unwrap_or(false),
            _ => false,
        };
        if interpolates {
            let opens = *token == Token::LeftBrace;
            self.found.push(Brace { line: at.line().unwrap_or(0), column: at.position().unwrap_or(0), opens });
        }
    }
}
