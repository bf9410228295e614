use super::text;
use crate::args::Run;
use crate::context::Context;
use crate::exit::{self, Stop};
use crate::render::{self, Console};
use crate::surroundings::Surroundings;
use serde_json::{Map, Value};
use skills::{
    AuthorizedPlan, Breach, Engine, Error, ErrorKind, Failure, LimitName, Outcome, OutputFormat, Plan, RunOptions,
    Skill,
};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Runs a skill, a script file, or code.
pub(crate) fn run(args: &Run) -> Result<(), Stop> {
    if args.session.name.is_some() && !args.dry_run {
        return super::live::run(args);
    }
    let name = args.target.clone().unwrap_or_else(|| "inline".to_owned());
    let mut format = None;
    let outcome = match outcome(args, &mut format) {
        Ok(None) => return Ok(()),
        Ok(Some(outcome)) => outcome,
        Err(Stop::Error(error)) if args.json.json => Outcome::failed(&name, &RunOptions::default(), *error),
        Err(stop) => return Err(stop),
    };
    if args.json.json {
        render::json(&outcome.to_json())?;
        return match &outcome.result {
            Ok(_) => Ok(()),
            Err(error) => Err(Stop::Code(exit::code(error.failure()))),
        };
    }
    Ok(render::print_value_as(&outcome.result?, format)?)
}

/// What becomes of the run, and the form that its value is to have; `None` where only the plan was asked for.
fn outcome(args: &Run, format: &mut Option<OutputFormat>) -> Result<Option<Outcome>, Stop> {
    let surroundings = Surroundings::own();
    let console = Arc::new(Console::new(!args.json.json, surroundings.log_level()));
    let engine = Context::of(surroundings).engine(Arc::clone(&console) as _)?;
    let skill = target(&engine, args)?;
    *format = skill.output_format;
    let mut options = options(args, &console);
    let plan = params(&engine, &skill, args).and_then(|params| engine.plan(&skill, Value::Object(params), &options));
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => return Ok(Some(engine.not_run(&skill, &options, error))),
    };
    if args.dry_run {
        return dry(&engine, plan, args.json.json).map(|()| None);
    }
    for diagnostic in engine.catalog().warnings(&skill.name).iter().chain(&skill.remarks) {
        render::diagnostic(diagnostic);
    }
    options.correlation_id = Some(plan.correlation_id().to_owned());
    // Before anything is shown as running: a person may be asked.
    let authorized = engine.authorize(plan);
    let cancel = console.cancel().clone();
    crate::context::on_interrupt(move || cancel.cancel());
    let outcome = match authorized {
        Ok(plan) => {
            plan.warnings().iter().for_each(|warning| render::warning(warning));
            console.during(|| bounded(&engine, plan, &skill, &options))
        }
        Err(error) => engine.not_run(&skill, &options, error),
    };
    if !args.json.json {
        console.end_line()?;
    }
    Ok(Some(outcome))
}

/// Prints what would run.
fn dry(engine: &Engine, plan: Plan, as_json: bool) -> Result<(), Stop> {
    let judgement = engine.judge(plan)?;
    render::plan(&judgement, as_json)?;
    match judgement.refusal() {
        None => Ok(()),
        // It has been printed.
        Some(error) if as_json => Err(Stop::Code(exit::code(error.failure()))),
        Some(error) => Err(error.into()),
    }
}

/// How long a run that is told to stop may take to do so.
const GRACE: Duration = Duration::from_secs(3);

/// The stack of the thread that runs the script, in bytes.
const STACK: usize = 16 << 20;

/// Runs a skill, and waits for it no longer than its limits allow: native code that does not stop when told to (a lock
/// that nobody opens, a call into a C library) is left behind, and ends with the command.
fn bounded(engine: &Engine, plan: AuthorizedPlan, skill: &Arc<Skill>, options: &RunOptions) -> Outcome {
    let limits = plan.plan().limits();
    let most = [(LimitName::Time, limits.time), (LimitName::Wall, limits.wall)];
    let most = most.into_iter().filter_map(|(name, limit)| Some((limit?, name))).min_by_key(|(limit, _)| *limit);
    let (sender, receiver) = channel();
    let own = engine.clone();
    // Nobody waits any more where the send fails.
    let work = move || drop(sender.send(own.execute(plan)));
    let failed = |failure: Failure| engine.not_run(skill, options, failure.into());
    if let Err(error) = std::thread::Builder::new().stack_size(STACK).spawn(work) {
        return failed(Failure::new(ErrorKind::Unavailable, format!("cannot start a thread: {error}")));
    }
    let (limit, name) = most.unwrap_or((Duration::MAX, LimitName::Time));
    match receiver.recv_timeout(limit.saturating_add(GRACE)) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => {
            let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let breach = Breach { name, limit: millis(limit), reading: millis(limit + GRACE) };
            failed(Failure::breach(breach).with_help(
                "the script did not stop when told to: it waits or works in native code, which in-process limits do not reach",
            ))
        }
        Err(RecvTimeoutError::Disconnected) => {
            failed(Failure::new(ErrorKind::Internal, "the thread that ran the script ended without an outcome"))
        }
    }
}

fn target(engine: &Engine, args: &Run) -> Result<Arc<Skill>, Error> {
    if let Some(code) = &args.expression {
        let language = super::language(engine, args.lang.as_deref().unwrap_or("rhai"))?;
        return Ok(engine.code(language, code));
    }
    super::skill(engine, args.target.as_deref().unwrap_or_default())
}

fn options(args: &Run, console: &Console) -> RunOptions {
    let mut options = RunOptions::default();
    args.bounds.add_to(&mut options);
    args.allow.add_to(&mut options);
    options.script = args.script.clone();
    options.cancel = Some(console.cancel().clone());
    options
}

/// The parameters: of `--params`, with the words over them.
fn params(engine: &Engine, skill: &Skill, args: &Run) -> Result<Map<String, Value>, Error> {
    let parameters = engine.parameters(skill);
    let mut given = match &args.params {
        Some(text) => skills::arguments::from_text(&text::given(text, "the parameters")?)?,
        None => Map::new(),
    };
    // With code given by -e, what would be the skill's name is the first word.
    let first = args.target.iter().filter(|_| args.expression.is_some());
    let words: Vec<String> = first.chain(&args.words).cloned().collect();
    given.extend(skills::arguments::from_words(&parameters, &words)?);
    Ok(given)
}
