//! What the bridge answers, as values and failures.

use crate::engine::Fault;
use crate::live::Sources;
use crate::natives::Natives;
use crate::source::{Columns, HIDDEN, only_loop, written};
use serde::Deserialize;
use serde_json::Value;
use skills_core::value::Meter;
use skills_core::{Breach, Budget, ErrorKind, Failure, Frame, LimitName, Script};

/// What is needed to find a place of the script again.
pub(crate) struct Places<'a> {
    pub(crate) script: &'a Script,
    pub(crate) resource: &'a str,
    pub(crate) columns: &'a Columns,
    /// The scripts of a living session that were evaluated before.
    pub(crate) earlier: Option<&'a Sources>,
}

impl Places<'_> {
    /// The script that a line of a stack is about, with where the name of its resource stands and ends.
    fn find(&self, text: &str) -> Option<(&Script, &Columns, usize, usize)> {
        if let Some(at) = text.rfind(self.resource).filter(|_| !self.resource.is_empty()) {
            let end = at + self.resource.len();
            if text[end..].starts_with(':') {
                return Some((self.script, self.columns, at, end));
            }
        }
        let at = text.rfind("skill:")?;
        let end = at + 6 + text[at + 6..].chars().take_while(char::is_ascii_digit).count();
        let (script, columns) = self.earlier?.find(&text[at..end])?;
        Some((script, columns, at, end))
    }
}

/// What the bridge tells of a run that threw: see `thrown` in `bridge/errors.js`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Thrown {
    stop: Option<String>,
    detail: String,
    path: Vec<Value>,
    thrown: Option<String>,
    name: String,
    message: String,
    stack: String,
    id: i64,
    deep: bool,
}

/// Reads an answer: `=` and a value, or `!` and an error. `depth` measures what the stack holds, see [`too_deep`].
pub(crate) fn read(
    answer: &str,
    places: &Places<'_>,
    natives: &Natives,
    budget: &Budget,
    depth: impl FnOnce() -> Option<u64>,
) -> Result<Value, Failure> {
    let script = places.script;
    if let Some(json) = answer.strip_prefix('=') {
        if let Some(limit) = budget.limits().result.filter(|limit| json.len() as u64 > *limit) {
            return Err(too_large(budget, limit, json.len() as u64));
        }
        return serde_json::from_str(json)
            .map_err(|error| internal(script, format!("the result is not JSON: {error}")));
    }
    let thrown: Thrown = answer
        .strip_prefix('!')
        .and_then(|json| serde_json::from_str(json).ok())
        .ok_or_else(|| internal(script, "the script's answer cannot be read".into()))?;
    if let Some(stop) = &thrown.stop {
        let failure = refused(stop, &thrown, budget);
        return Err(failure.in_script(script.language, Vec::new()));
    }
    if let Some(shown) = &thrown.thrown {
        return Err(script_error(script, format!("uncaught {shown}"), Vec::new()));
    }
    let frames = frames(&thrown.stack, places);
    if let Some(failure) = natives.failure(thrown.id) {
        return Err(failure.in_script(script.language, frames));
    }
    let message = match (thrown.name.as_str(), thrown.message.as_str()) {
        (name, "") => name.to_owned(),
        (name, message) => format!("{name}: {message}"),
    };
    // A name of a cell may hold what only the engine sees.
    let message = message.replace(HIDDEN, "");
    if thrown.deep {
        return Err(too_deep(message, depth()).in_script(script.language, frames));
    }
    Err(script_error(script, message, frames))
}

/// The failure of a script that could not be compiled, or that the engine ended. `depth` as for [`read`].
pub(crate) fn fault(fault: &Fault, places: &Places<'_>, depth: impl FnOnce() -> Option<u64>) -> Failure {
    match fault {
        Fault::Syntax(message, stack) => script_error(places.script, message.clone(), frames(stack, places)),
        Fault::Stopped(why, stack) if why.contains("Maximum call stack") || why.contains("stack overflow") => {
            too_deep(why.clone(), depth()).in_script(places.script.language, frames(stack, places))
        }
        Fault::Stopped(why, stack) => {
            let message = format!("the engine ended the script: {why}");
            Failure::new(ErrorKind::Internal, message).in_script(places.script.language, stopped(stack, places))
        }
    }
}

/// The frames of a script that was stopped in the middle, perhaps at the step of a loop, for which the engine has no place.
fn stopped(stack: &str, places: &Places<'_>) -> Vec<Frame> {
    let mut all: Vec<_> = stack.lines().filter_map(|line| placed(line, places)).take(MOST).collect();
    if let Some(innermost) = all.first_mut()
        && let Some((line, column)) = only_loop(innermost.script, innermost.start())
    {
        (innermost.line, innermost.column) = (line, column);
    }
    all.into_iter().filter_map(Placed::frame).collect()
}

/// The failure of a promise that nothing can settle any more.
pub(crate) fn never_settled(script: &Script) -> Failure {
    script_error(script, "the promise was never settled".into(), Vec::new())
        .with_help("something is awaited that neither a timer nor other code resolves or rejects")
}

fn script_error(script: &Script, message: String, frames: Vec<Frame>) -> Failure {
    Failure::new(ErrorKind::ScriptError, message).in_script(script.language, frames)
}

pub(crate) fn internal(script: &Script, message: String) -> Failure {
    Failure::new(ErrorKind::Internal, message).in_script(script.language, Vec::new())
}

/// The failure of a script that filled the engine's stack.
///
/// The stack is bounded in bytes, and nobody counts the calls in it where no limit asks for that. `depth` is how many
/// calls of a small function it holds, measured afterwards: functions with many variables fill it with fewer.
fn too_deep(message: String, depth: Option<u64>) -> Failure {
    let failure = match depth {
        Some(limit) => Failure::breach(Breach { name: LimitName::Recursion, limit, reading: limit + 1 }),
        None => Failure::new(ErrorKind::RecursionLimit, message),
    };
    failure.with_help("calls are nested deeper than the engine's stack allows: look for a recursion that does not end")
}

fn too_large(budget: &Budget, limit: u64, reading: u64) -> Failure {
    budget.breach(Breach { name: LimitName::Result, limit, reading })
}

/// The failure of a result that JSON cannot hold, worded as for every language.
fn refused(stop: &str, thrown: &Thrown, budget: &Budget) -> Failure {
    if stop == "size" {
        let limit = budget.limits().result.unwrap_or(0);
        let reading = thrown.detail.parse::<f64>().map_or(limit + 1, |reading| reading as u64);
        return too_large(budget, limit, reading.max(limit + 1));
    }
    let mut meter = Meter::new("result", None);
    for step in &thrown.path {
        let entered = match step {
            Value::String(key) => meter.enter_key(key),
            index => meter.enter_index(index.as_u64().unwrap_or(0) as usize),
        };
        if let Err(failure) = entered {
            return failure;
        }
    }
    if stop == "depth" {
        // One level further than the path, which is what the bridge refused.
        return meter.enter_index(0).err().unwrap_or_else(|| meter.not_finite("too deep"));
    }
    if stop == "text" {
        return meter.not_whole();
    }
    meter.not_finite(&thrown.detail)
}

/// The most frames that are told.
const MOST: usize = 50;

/// The frames of a stack that lie in the script, innermost first.
///
/// A line is `    at name (skill:1:2:3)` or `    at skill:1:2:3`; whatever else a script may have written there is skipped.
fn frames(stack: &str, places: &Places<'_>) -> Vec<Frame> {
    stack.lines().filter_map(|line| placed(line, places)?.frame()).take(MOST).collect()
}

/// A line of a stack that is about a script.
struct Placed<'a> {
    script: &'a Script,
    /// 0 where the engine has no place for what comes first outside of all functions, and says where the script begins.
    line: u32,
    column: u32,
    function: Option<String>,
}

fn placed<'a>(text: &str, places: &'a Places<'_>) -> Option<Placed<'a>> {
    let text = text.trim_start().strip_prefix("at ")?;
    let (script, columns, at, end) = places.find(text)?;
    let position = text[end..].strip_prefix(':')?.trim_end_matches(')');
    let (line, column) = position.split_once(':').unwrap_or((position, "0"));
    let line: u32 = line.parse().ok()?;
    if line as usize > script.source.lines().count().max(1) {
        return None;
    }
    // The wrapper begins there, and not the script.
    let column = column.parse().map_or(0, |column| if line == 0 { 1 } else { columns.original(line, column) });
    let name = text[..at].trim_end_matches('(').trim();
    let name = written(name.strip_prefix("async ").unwrap_or(name));
    let function =
        (!name.is_empty() && name != "<anonymous>" && !name.starts_with("__skill_")).then(|| name.to_owned());
    Some(Placed { script, line, column, function })
}

impl Placed<'_> {
    /// Where the function begins, if this is that place; `None` for what is outside of all functions.
    fn start(&self) -> Option<(u32, u32)> {
        (self.line > 0).then_some((self.line, self.column))
    }

    fn frame(self) -> Option<Frame> {
        let Placed { script, mut line, column, function } = self;
        if line == 0 && script.source.lines().count() <= 1 {
            line = 1;
        }
        let source = script.line(line).map(str::to_owned);
        (line > 0).then(|| Frame { file: script.file.clone(), line, column, function, source })
    }
}

/// A stack as a person may read it: with the files and places of scripts, and without the frames of the bridge.
pub(crate) fn readable(text: &str, earlier: &Sources) -> String {
    let line = |line: &str| -> Option<String> {
        let trimmed = line.trim_start();
        if !trimmed.starts_with("at ") {
            return Some(line.to_owned());
        }
        if trimmed.contains("skills:bridge") || trimmed.contains("skills:live") || trimmed.contains("(native)") {
            return None;
        }
        let Some(at) = line.find("skill:") else { return Some(line.to_owned()) };
        let end = at + 6 + line[at + 6..].chars().take_while(char::is_ascii_digit).count();
        let Some((script, columns)) = earlier.find(&line[at..end]) else { return Some(line.to_owned()) };
        let rest = &line[end..];
        let place = rest.trim_start_matches(':');
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
        let row = &place[..digits(place)];
        let after = &place[row.len()..];
        let column = after.strip_prefix(':').map(|text| &text[..digits(text)]);
        let (Ok(number), Some(Ok(column))) = (row.parse::<u32>(), column.map(|column| column.parse::<u32>())) else {
            return Some(line.to_owned());
        };
        if number == 0 || number as usize > script.source.lines().count().max(1) {
            return None;
        }
        let tail = after.trim_start_matches(':').trim_start_matches(|c: char| c.is_ascii_digit());
        Some(format!("{}{}:{number}:{}{tail}", &line[..at], script.file, columns.original(number, column)))
    };
    text.lines().filter_map(line).collect::<Vec<_>>().join("\n")
}
