//! Rhai's errors as failures with frames.

use crate::control::Control;
use crate::interpolation::Written;
use rhai::{Dynamic, EvalAltResult, ParseError, ParseErrorType, Position};
use skills_core::{Breach, ErrorKind, Failure, Frame, Language, LimitName, Script};
use std::sync::Arc;

/// What places in errors refer to.
pub(crate) struct Places<'a> {
    pub(crate) script: &'a Script,
    /// What was compiled instead of the script's source.
    pub(crate) written: Option<&'a Written>,
    /// The lines that were put above it.
    pub(crate) above: usize,
    /// Where else functions are from that it can call.
    pub(crate) others: &'a [Placed],
}

/// A source that functions are from, as it was compiled: below so many lines that no other one has its line numbers.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) script: Arc<Script>,
    /// What was compiled instead of the script's source.
    pub(crate) written: Option<Written>,
    /// The lines above it.
    pub(crate) above: usize,
    /// Its own lines.
    pub(crate) lines: usize,
}

impl Placed {
    fn holds(&self, line: usize) -> bool {
        (self.above + 1..=self.above + self.lines).contains(&line)
    }
}

/// The failure of a script that does not parse.
pub(crate) fn from_parse(error: &ParseError, places: &Places<'_>) -> Failure {
    let failure = match error.err_type() {
        ParseErrorType::ExprTooDeep => Failure::new(ErrorKind::ScriptError, "expressions are nested too deep")
            .with_help("give parts of the expression names with `let`, or move them into functions"),
        ParseErrorType::Reserved(word) if word == "eval" => disabled_eval(),
        kind if kind.to_string().contains("'eval'") => disabled_eval(),
        kind => Failure::new(ErrorKind::ScriptError, format!("syntax error: {kind}")),
    };
    failure.in_script(Language::Rhai, vec![places.frame(error.position(), None)])
}

fn disabled_eval() -> Failure {
    Failure::new(ErrorKind::ScriptError, "`eval` is not available in skills")
        .with_help("write the code out, or call a function by name with `Fn(\"name\").call()`")
}

/// The failure of a script that raised an error, was stopped, or hit a limit of Rhai's own.
pub(crate) fn from_runtime(error: EvalAltResult, places: &Places<'_>, control: &Control, recursion: usize) -> Failure {
    let (inner, frames) = unwind(error, places);
    let failure = match inner {
        EvalAltResult::ErrorRuntime(value, _) => thrown(&value, control),
        EvalAltResult::ErrorStackOverflow(_) => {
            let limit = recursion as u64;
            control.breach(Breach { name: LimitName::Recursion, limit, reading: limit + 1 })
        }
        EvalAltResult::ErrorParsing(kind, _) => Failure::new(ErrorKind::ScriptError, format!("syntax error: {kind}")),
        // Without a verdict nothing stops a script.
        EvalAltResult::ErrorTerminated(..) => Failure::new(ErrorKind::Internal, "the script was stopped for no reason"),
        mut other => {
            other.clear_position();
            Failure::new(ErrorKind::ScriptError, first_line(&other.to_string()))
        }
    };
    failure.in_script(Language::Rhai, frames)
}

/// The failure of a thrown value.
fn thrown(value: &Dynamic, control: &Control) -> Failure {
    let own = |message: String| Failure::new(ErrorKind::ScriptError, message);
    if value.is_unit() {
        return own("the script threw nothing".into());
    }
    let Ok(map) = value.as_map_ref() else {
        return own(match value.as_immutable_string_ref() {
            Ok(text) if text.is_empty() => "the script threw an empty string".into(),
            Ok(text) => clip(&text),
            Err(_) => shown(value),
        });
    };
    let text = |key: &str| map.get(key).and_then(|item| item.as_immutable_string_ref().ok());
    let Some(message) = text("message") else { return own(shown(value)) };
    // Also thrown on by a script that had caught it; whole, with the frames of a skill that was called.
    if let Some(failure) = text("kind").and_then(|kind| control.thrown(&kind, &message)) {
        return failure;
    }
    Failure { help: text("help").map(|help| clip(&help)), ..own(clip(&message)) }
}

/// The longest message, in bytes: a thrown string may be as large as memory allows.
const LONGEST: usize = 4 << 10;

fn clip(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(LONGEST)])
}

fn shown(value: &Dynamic) -> String {
    crate::text::debug(value, LONGEST as u64).unwrap_or_else(|| format!("a large {}", value.type_name()))
}

/// The innermost error, and the frames from there outwards.
fn unwind(error: EvalAltResult, places: &Places<'_>) -> (EvalAltResult, Vec<Frame>) {
    let mut frames = Vec::new();
    let mut function: Option<String> = None;
    let mut error = error;
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(name, _, inner, at) => {
                // The engine's own call of `run` has no place in the script.
                if !(function.is_none() && name == "run" && is_own_call(at)) {
                    frames.push(places.frame(at, function.take()));
                }
                function = Some(if name.starts_with("anon$") { "closure".into() } else { name });
                error = *inner;
            }
            EvalAltResult::ErrorInModule(_, inner, at) => {
                frames.push(places.frame(at, function.take()));
                error = *inner;
            }
            other => {
                let at = other.position();
                if !(function.is_none() && is_own_call(at)) || frames.is_empty() {
                    frames.push(places.frame(at, function));
                }
                frames.reverse();
                return (other, frames);
            }
        }
    }
}

/// Where the call of `run` stands that is compiled behind a script: no line of a script is that far down.
pub(crate) const OWN_LINE: usize = 65_000;

fn is_own_call(at: Position) -> bool {
    at.line().is_some_and(|line| line >= OWN_LINE)
}

impl<'a> Places<'a> {
    /// The places of a script that is all there is.
    pub(crate) fn alone(script: &'a Script, written: Option<&'a Written>) -> Places<'a> {
        Places { script, written, above: 0, others: &[] }
    }

    fn frame(&self, at: Position, function: Option<String>) -> Frame {
        let number = |n: usize| u32::try_from(n).unwrap_or(0);
        let compiled = at.line().filter(|line| *line < OWN_LINE).unwrap_or(0);
        let (script, written, above) = match self.others.iter().find(|placed| placed.holds(compiled)) {
            Some(placed) => (&*placed.script, placed.written.as_ref(), placed.above),
            None => (self.script, self.written, self.above),
        };
        let line = compiled.saturating_sub(above);
        let column = at.position().filter(|_| line > 0);
        let column = column.map_or(0, |column| written.map_or(column, |written| written.column(line, column)));
        let (line, column) = (number(line), number(column));
        Frame { file: script.file.clone(), line, column, function, source: script.line(line).map(str::to_owned) }
    }
}

fn first_line(text: &str) -> String {
    clip(text.lines().next().unwrap_or(text))
}
