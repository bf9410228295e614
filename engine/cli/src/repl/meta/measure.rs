//! What cells take and may take: `%time`, `%timeit`, `%limits`.

use super::{code_of, usage};
use crate::exit::Stop;
use crate::render;
use crate::repl::{Flow, Repl, limits as set, show};
use skills::{Error, ErrorKind};
use std::time::Duration;

pub(super) fn time(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    match rest {
        "" | "on" | "off" => {
            repl.meter = if rest.is_empty() { !repl.meter } else { rest == "on" };
            let state = if repl.meter { "shown" } else { "not shown" };
            render::note(&format!("time and memory are {state} after each cell"));
        }
        code => {
            let before = std::mem::replace(&mut repl.meter, true);
            let language = repl.shared.language();
            let result = repl.evaluate(language, code, None);
            repl.meter = before;
            result?;
        }
    }
    Ok(Flow::On)
}

/// How long `%timeit` goes on, where nobody says how often.
const ENOUGH: Duration = Duration::from_secs(1);

/// The most times.
const MOST_TIMES: usize = 1_000_000;

pub(super) fn timeit(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let code = code_of(rest);
    let options = rest[..rest.len() - code.len()].split_whitespace().collect::<Vec<_>>();
    let times = match options.as_slice() {
        [] => None,
        ["-n", times] => {
            Some(times.parse::<usize>().ok().filter(|n| (1..=MOST_TIMES).contains(n)).ok_or_else(|| usage("timeit"))?)
        }
        _ => return Err(usage("timeit").into()),
    };
    if code.is_empty() {
        return Err(usage("timeit").into());
    }
    let mut took: Vec<Duration> = Vec::new();
    let mut total = Duration::ZERO;
    while times.map_or(total < ENOUGH || took.len() < 3, |times| took.len() < times) && took.len() < MOST_TIMES {
        let outcome = repl.ask(repl.shared.language(), code, None);
        if let Err(error) = &outcome.result {
            return Err(error.clone().into());
        }
        total += outcome.usage.wall;
        took.push(outcome.usage.wall);
    }
    took.sort();
    let (best, middle) = (took[0], took[took.len() / 2]);
    let runs = if took.len() == 1 { "1 run".to_owned() } else { format!("{} runs", took.len()) };
    render::text(&format!("{} ({runs}, best {})", show::time(middle), show::time(best)))?;
    Ok(Flow::On)
}

pub(super) fn limits(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let mut wanted = repl.limits.clone();
    for word in rest.split_whitespace() {
        let (name, amount) = word.split_once('=').ok_or_else(|| usage("limits"))?;
        set::set(&mut wanted, name, amount).map_err(|why| Error::new(ErrorKind::InvalidArguments, why))?;
    }
    repl.limits = wanted;
    if rest.is_empty() {
        render::text(&set::table(repl)?)?;
    }
    Ok(Flow::On)
}
