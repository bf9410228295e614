//! Whether code goes on in the next line, by what Rhai's own parser makes of it with more behind it.

use crate::engine;
use crate::last_value::LastValue;
use rhai::{LexError, ParseErrorType};
use skills_core::{Completeness, Script};
use std::sync::Mutex;

/// What ends a string that goes over lines.
const ENDS: [&str; 4] = ["`", "\"", "\"#", "\"##"];

/// Whether a script is complete.
pub(crate) fn of(script: &Script) -> Completeness {
    let source = script.source.as_str();
    let goes_on = match parse(source) {
        // Only inside a comment does this not matter.
        None => parse(&format!("{source}\n)")).is_none(),
        Some(Wrong { kind: ParseErrorType::UnexpectedEOF, .. }) => true,
        Some(wrong) => {
            let open = matches!(wrong.kind, ParseErrorType::BadInput(LexError::UnterminatedString));
            let same = |more: &str| parse(&format!("{source}\n{more}")).is_some_and(|now| now == wrong);
            if open { ENDS.iter().any(|end| !same(end)) } else { !same("x") }
        }
    };
    if goes_on { Completeness::Incomplete } else { Completeness::Complete }
}

/// What is wrong, and where.
#[derive(PartialEq)]
struct Wrong {
    kind: ParseErrorType,
    line: Option<usize>,
    column: Option<usize>,
}

fn parse(source: &str) -> Option<Wrong> {
    let mut engine = engine::parser();
    let last = Mutex::new(LastValue::default());
    // Not deprecated: that is how Rhai marks what may change between its releases.
    #[allow(deprecated)]
    engine.on_parse_token(move |token, _, _| crate::control::lock(&last).name(token));
    let error = engine.compile(source).err()?;
    let at = error.position();
    Some(Wrong { kind: error.err_type().clone(), line: at.line(), column: at.position() })
}
