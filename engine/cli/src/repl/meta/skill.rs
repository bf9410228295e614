//! `%skill`.

use super::usage;
use crate::exit::Stop;
use crate::render;
use crate::repl::{Flow, Repl};
use serde_json::Value;
use skills::{Error, ErrorKind};

pub(super) fn skill(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let words = shell_words::split(rest)
        .map_err(|error| Error::new(ErrorKind::InvalidArguments, format!("the parameters cannot be read: {error}")))?;
    let Some((name, words)) = words.split_first() else { return Err(usage("skill").into()) };
    let skill = repl.engine.skill(name)?;
    let params = skills::arguments::from_words(&repl.engine.parameters(&skill), words).map_err(Error::from)?;
    let mut options = skills::RunOptions::default();
    options.cancel = Some(repl.shared.cancel());
    let outcome = repl.during(|repl| repl.engine.run_skill(&skill, Value::Object(params), &options));
    repl.console.end_line()?;
    render::print_value(&outcome.result?)?;
    Ok(Flow::On)
}
