use super::{Living, under};
use crate::convert;
use crate::engine::{Argument, Compiled, Fault};
use crate::error::{self, Places};
use crate::session::{JavaScriptSession, Waited, fault_resource, wait};
use crate::source::{self, Columns, Counting, Purpose};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use skills_core::{Budget, Cell, Entry, ErrorKind, Evaluated, Evaluation, Failure, Host, Script, Shown};
use std::rc::Rc;
use std::sync::Arc;

/// What the bridge answers for a cell.
#[derive(Deserialize)]
struct Answer {
    value: Value,
    #[serde(default)]
    shown: Option<Sight>,
}

/// `Shown` as the bridge has it.
#[derive(Deserialize)]
pub(super) struct Sight {
    type_name: String,
    text: String,
    cut: bool,
    #[serde(default)]
    png: Option<String>,
}

impl Sight {
    /// For whoever is shown it. `living` knows the places that stacks of errors name.
    pub(super) fn shown(self, living: &Living) -> Shown {
        let Sight { type_name, mut text, mut cut, png } = self;
        if text.contains("skill:") && text.contains("\n") {
            text = error::readable(&text, &living.sources);
        }
        if text.len() > Shown::MOST {
            let end = (0..=Shown::MOST).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            text.truncate(end);
            cut = true;
        }
        let png = png.and_then(|png| STANDARD.decode(png).ok()).filter(|png| png.len() <= Shown::MOST_IMAGE);
        Shown { type_name, text, cut, png }
    }
}

/// Evaluates a cell.
pub(crate) fn evaluate(session: &mut JavaScriptSession, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
    let mut operations = None;
    let language = cell.script.language;
    let (result, mut usage) = under(session, host, language, |session| {
        let result = run(session, cell, host);
        if host.budget().limits().operations.is_some() {
            operations = session.engine.ask("operations", &[]).ok().and_then(|count| count.parse::<f64>().ok());
        }
        result
    });
    usage.operations = operations.map(|count| count as u64);
    let (result, shown) = match result {
        Ok((value, shown)) => (Ok(value), shown),
        Err(failure) => (Err(failure), None),
    };
    Evaluated { evaluation: Evaluation { result, usage }, shown }
}

/// How many skills a session remembers to have evaluated. The bodies of more than these are evaluated each time.
const MOST_SKILLS: usize = 1000;

/// A cell of its own, whose value is shown: see `evaluate` in `bridge/live/space.js`.
const CELL: i32 = 8;
/// Where the function of the skill is to be called.
const CALLS: i32 = 2;

fn run(session: &mut JavaScriptSession, cell: &Cell, host: &Arc<dyn Host>) -> Result<(Value, Option<Shown>), Failure> {
    let budget = host.budget();
    let script = &cell.script;
    let limits = budget.limits();
    let counting = Counting { operations: limits.operations, recursion: limits.recursion };
    go_on(session);
    let (key, params) = match &cell.entry {
        Entry::Cell => (None, None),
        Entry::Skill { params } => (skill(session, script), Some(Value::Object(params.clone()))),
    };
    let known = key.is_some();
    let compiled = if known { None } else { Some(compile(session, cell, counting, &**host)?) };
    let mut mode = compiled.as_ref().map_or(CALLS, |compiled| compiled.mode);
    if cell.entry == Entry::Cell {
        mode |= CELL;
    }
    let calls = mode & CALLS != 0;
    let next = session.living.as_ref().map_or(0, |living| living.skills.len());
    let (text, wide) = convert::encode(&params.unwrap_or(Value::Null));
    let bound = |limit: Option<u64>| Argument::Number(limit.map_or(-1.0, |limit| limit as f64));
    let mut answer = session.engine.ask(
        "evaluate",
        &[
            Argument::Main(compiled.as_ref()),
            Argument::Number(f64::from(mode)),
            Argument::Number(key.unwrap_or(next) as f64),
            Argument::Text(&text),
            Argument::Text(&wide),
            bound(limits.result),
            bound(limits.operations),
            bound(limits.recursion),
        ],
    );
    session.engine.run_microtasks();
    while matches!(answer.as_deref(), Ok("?")) {
        answer = match wait(&mut session.engine) {
            Waited::Answer(answer) => answer,
            Waited::Nothing => match session.engine.ask("unsettled", &[]) {
                Ok(answer) if answer.starts_with('=') => Ok(answer),
                _ => return Err(error::never_settled(script)),
            },
        };
    }
    let result = read(session, script, compiled.as_ref(), answer, cell.entry == Entry::Cell, budget);
    // A body that failed half way is evaluated again.
    if result.is_ok()
        && calls
        && !known
        && let Some(living) = session.living.as_mut()
        && cell.entry != Entry::Cell
        && next < MOST_SKILLS
    {
        living.skills.push(Arc::clone(script));
    }
    result
}

/// The number of a skill's source, where its body was evaluated.
fn skill(session: &JavaScriptSession, script: &Arc<Script>) -> Option<usize> {
    let known = &session.living.as_ref()?.skills;
    known.iter().position(|known| known.language == script.language && known.source == script.source)
}

/// Lets timers of earlier cells that are due go on, and what waits for them.
fn go_on(session: &mut JavaScriptSession) {
    const MOST: usize = 1000;
    session.engine.run_microtasks();
    for _ in 0..MOST {
        if session.engine.stop().is_set() || !matches!(session.engine.tick(), Ok(0.0)) {
            return;
        }
        session.engine.run_microtasks();
    }
}

fn compile(
    session: &mut JavaScriptSession,
    cell: &Cell,
    counting: Counting,
    host: &dyn Host,
) -> Result<Compiled, Failure> {
    let script = &cell.script;
    let purpose = if cell.entry == Entry::Cell { Purpose::Value } else { Purpose::Call };
    let shadows = session.living.as_ref().map(|living| living.shadows.clone()).unwrap_or_default();
    let prepared = source::prepare_cell(script, purpose, counting, &shadows)?;
    let compiled = session.engine.compile_cell(&prepared, !counting.is_off()).map_err(|fault| {
        let resource = fault_resource(&fault);
        let places = Places { script, resource: &resource, columns: &prepared.columns, earlier: None };
        error::fault(&fault, &places, || session.engine.depth())
    })?;
    let written = prepared.source.map(|source| Arc::new(Script { source, ..Script::clone(script) }));
    let written = written.as_ref().unwrap_or(script);
    session.engine.natives().definitions.borrow_mut().add(written, &prepared.body, prepared.definitions);
    if let Some(living) = session.living.as_mut() {
        living.language = script.language;
        living.shadows = prepared.shadows;
        for (name, doc) in prepared.docs {
            living.document(name, doc);
        }
        living.sources.add(&compiled.resource, Arc::clone(script), prepared.columns);
    }
    if prepared.links.is_empty() {
        return Ok(compiled);
    }
    let JavaScriptSession { engine, living: Some(living), .. } = session else {
        return Err(error::internal(script, "the session has no namespace".into()));
    };
    let linked = living.graph.link(engine, host, (script, &prepared.links, &compiled), (counting, true));
    let linked = linked.map(Compiled::copy);
    living.sources.take(&mut living.graph.sources);
    linked
}

fn read(
    session: &mut JavaScriptSession,
    script: &Script,
    compiled: Option<&Compiled>,
    answer: Result<String, Fault>,
    shows: bool,
    budget: &Budget,
) -> Result<(Value, Option<Shown>), Failure> {
    let JavaScriptSession { engine, living: Some(living), .. } = session else {
        return Err(error::internal(script, "the session has no namespace".into()));
    };
    if let (true, Ok(answer)) = (shows, &answer)
        && let Some(json) = answer.strip_prefix('=')
    {
        let read: Answer = serde_json::from_str(json)
            .map_err(|error| error::internal(script, format!("the cell's answer cannot be read: {error}")))?;
        return Ok((read.value, read.shown.map(|sight| sight.shown(living))));
    }
    // The cell's own place among the sources is known by its resource, unless it was forgotten already.
    let nothing = Columns::default();
    let resource = compiled.map_or("", |compiled| compiled.resource.as_str());
    let columns = living.sources.find(resource).map_or(&nothing, |(_, columns)| columns);
    let places = Places { script, resource, columns, earlier: Some(&living.sources) };
    let natives = Rc::clone(engine.natives());
    let depth = || engine.depth();
    match answer {
        Ok(answer) => error::read(&answer, &places, &natives, budget, depth).map(|value| (value, None)),
        Err(fault) => Err(error::fault(&fault, &places, depth)),
    }
}

/// Where a name is none that a variable can have.
pub(super) fn no_name(name: &str) -> Failure {
    Failure::new(ErrorKind::InvalidArguments, format!("{name:?} cannot be the name of a variable"))
}
