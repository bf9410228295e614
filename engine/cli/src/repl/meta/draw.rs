//! `%plot`.

use super::{code_of, usage};
use crate::exit::Stop;
use crate::render;
use crate::repl::plot::{self, Form};
use crate::repl::{Flow, Repl};

pub(super) fn plot(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let code = code_of(rest);
    let form = match rest[..rest.len() - code.len()].trim() {
        "" => Form::Fitting,
        "--bar" => Form::Bars,
        "--points" => Form::Points,
        "--hist" => Form::Histogram(0),
        other => match other.strip_prefix("--hist=").and_then(|ranges| ranges.parse().ok()) {
            Some(ranges) => Form::Histogram(ranges),
            None => return Err(usage("plot").into()),
        },
    };
    if code.is_empty() {
        return Err(usage("plot").into());
    }
    let session = repl.shared.session();
    let is_name = code.chars().all(|c| c.is_alphanumeric() || c == '_');
    let value = match is_name.then(|| session.get(code)) {
        Some(Ok(value)) => value,
        _ => repl.ask(repl.shared.language(), code, None).result?,
    };
    render::text(&plot::plot(&value, form, &repl.screen)?)?;
    Ok(Flow::On)
}
