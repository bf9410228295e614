//! Patterns of parameters. A definition is read before it is trusted, so what all of its patterns may take is bounded.

use crate::definition::codes;
use crate::definition::node::Span;
use crate::definition::sink::Sink;
use regex_automata::nfa::thompson;
use std::error::Error;

/// What a pattern may take compiled, in bytes.
const LARGEST: usize = 1 << 20;

/// The same for all patterns of a definition: about a tenth of a second.
pub(crate) const ROOM: usize = 16 << 20;

/// What a class counts for on top. Reading one may mean to go through all of Unicode, however little is left of it.
const CLASS: usize = 8 << 10;

/// Reports a pattern that does not compile.
pub(crate) fn check(pattern: &str, span: &Span, sink: &mut Sink) -> bool {
    let Err((message, help)) = compile(pattern, sink.pattern_room()) else { return true };
    sink.error(codes::BAD_PATTERN, span, message, help);
    false
}

/// Compiles a pattern as far as it takes to know that it compiles, and takes what it needs off the room.
fn compile(pattern: &str, room: &mut usize) -> Result<(), (String, &'static str)> {
    const SMALLER: &str = "write `[0-9]` for `\\d` and `[A-Za-z0-9_]` for `\\w`, and repeat less often";
    let full = || ("the patterns of the definition are too large together".to_owned(), SMALLER);
    *room = room.saturating_sub(CLASS * classes(pattern));
    let most = LARGEST.min(*room);
    if most == 0 {
        return Err(full());
    }
    let config = thompson::Config::new().nfa_size_limit(Some(most));
    let error = match thompson::NFA::compiler().configure(config).build(pattern) {
        Ok(compiled) => {
            *room -= compiled.memory_usage().min(most);
            return Ok(());
        }
        Err(error) => error,
    };
    if error.size_limit().is_some() {
        *room -= most;
        let alone = || (format!("the pattern does not compile: it takes more than {LARGEST} bytes"), SMALLER);
        return Err(if most < LARGEST { full() } else { alone() });
    }
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.');
    let help = if text.contains("look-around") || text.contains("backreference") {
        "patterns are matched without backtracking, so that none can hang: use no `(?=`, `(?!`, `(?<=` and no `\\1`"
    } else {
        "the syntax is that of Rust's regex crate: https://docs.rs/regex/latest/regex/#syntax"
    };
    Err((format!("the pattern does not compile: {reason}"), help))
}

/// How many classes a pattern has: `[…]`, `\w`, `\p{…}`.
fn classes(pattern: &str) -> usize {
    let bytes = pattern.as_bytes();
    let escapes = bytes.windows(2).filter(|pair| pair[0] == b'\\' && pair[1].is_ascii_alphabetic()).count();
    escapes + bytes.iter().filter(|byte| **byte == b'[').count()
}
