//! What is done in a session that lives in the session host.

use crate::args::{Allowances, Bounds, Eval, InSession, Persist, Run};
use crate::exit::{self, Stop};
use crate::host::{Client, Evaluated, Front, Opening, Request, Seat, Sender};
use crate::prompt::Prompt;
use crate::render::{self, Console};
use crate::surroundings::Surroundings;
use serde_json::Value;
use skills::{
    Approver, Error, ErrorKind, Event, EventSink, LimitOverrides, Outcome, Permissions, Persistence, Question, Reply,
    RunOptions,
};
use std::path::Path;

/// Evaluates code in a session.
pub(crate) fn eval(args: &Eval) -> Result<(), Stop> {
    let code = Code::of(&args.code)?;
    let surroundings = Surroundings::own();
    let opening = opening(&args.session, &args.bounds, &args.allow, &surroundings);
    let opening = Box::new(Opening { language: args.lang.clone(), ..opening });
    let request = Request::Evaluate { opening, code: code.text, file: code.file, front: seat(args.json.json) };
    perform(request, &surroundings, "inline", args.json.json)
}

/// Runs a skill, or code, in a session.
pub(crate) fn run(args: &Run) -> Result<(), Stop> {
    let surroundings = Surroundings::own();
    let opening = opening(&args.session, &args.bounds, &args.allow, &surroundings);
    let json = args.json.json;
    if args.script.is_some() {
        let error = Error::new(ErrorKind::InvalidArguments, "`--script` and `--session` do not go together");
        return Err(error.with_help("a session is of the skill's own script").into());
    }
    if let Some(code) = &args.expression {
        if args.params.is_some() || args.target.is_some() || !args.words.is_empty() {
            let error = Error::new(ErrorKind::InvalidArguments, "code in a session takes no parameters");
            return Err(error.with_help("give it variables: `skills eval --session NAME 'n = 20'`").into());
        }
        let opening = Box::new(Opening { language: args.lang.clone(), ..opening });
        let request = Request::Evaluate { opening, code: code.clone(), file: None, front: seat(json) };
        return perform(request, &surroundings, "inline", json);
    }
    let target = args.target.as_deref().unwrap_or_default();
    let params = match &args.params {
        Some(text) => {
            Some(skills::arguments::from_text(&super::text::given(text, "the parameters")?).map_err(Error::from)?)
        }
        None => None,
    };
    let opening = Box::new(Opening { skill: Some(absolute(target, &surroundings)), ..opening });
    let request = Request::Run { opening, words: args.words.clone(), params, front: seat(json) };
    perform(request, &surroundings, target, json)
}

/// The skill that a person names, in words that mean the same wherever the host stands: paths are absolute.
fn absolute(target: &str, surroundings: &Surroundings) -> String {
    let path = Path::new(target);
    let is_path = target.contains('/') || target.starts_with('.') || path.is_file() && path.extension().is_some();
    match is_path && path.is_relative() {
        // Without its `.` and `..` where that is safe: it names the skill in errors.
        true => surroundings.cwd().join(path).components().collect::<std::path::PathBuf>().display().to_string(),
        false => target.to_owned(),
    }
}

/// What a person says of a session.
fn opening(session: &InSession, bounds: &Bounds, allow: &Allowances, surroundings: &Surroundings) -> Opening {
    let mut options = RunOptions::default();
    bounds.add_to(&mut options);
    allow.add_to(&mut options);
    opening_of(session, options, None, surroundings)
}

/// What a person says of a session, with its options put together.
pub(crate) fn opening_of(
    session: &InSession,
    options: RunOptions,
    skill: Option<&str>,
    surroundings: &Surroundings,
) -> Opening {
    Opening {
        skill: skill.map(|skill| absolute(skill, surroundings)),
        isolation: options.isolation,
        allow: options.allow,
        yes: options.yes,
        limits: options.limits,
        persistence: session.persist.map(|place| match place {
            Persist::Memory => Persistence::Memory,
            Persist::Disk => Persistence::Disk,
        }),
        idle: session.idle,
        max_duration: session.max_duration,
        ..plain_opening(session.name.clone(), surroundings)
    }
}

/// A session of which nothing is said.
pub(super) fn plain_opening(name: Option<String>, surroundings: &Surroundings) -> Opening {
    Opening {
        name,
        skill: None,
        language: None,
        isolation: None,
        allow: Permissions::default(),
        yes: false,
        limits: LimitOverrides::default(),
        persistence: None,
        idle: None,
        max_duration: None,
        surroundings: surroundings.clone(),
    }
}

fn seat(json: bool) -> Seat {
    Seat { streams: !json, person: render::stderr_is_terminal() }
}

/// Asks the host, shows what happens, and prints what comes of it.
fn perform(request: Request, surroundings: &Surroundings, name: &str, json: bool) -> Result<(), Stop> {
    let console = Console::new(!json, surroundings.log_level());
    let evaluated = match ask(request, surroundings, &console) {
        Err(Stop::Error(error)) if json => {
            let outcome = Outcome::failed(name, &RunOptions::default(), *error);
            render::json(&outcome.to_json())?;
            return match outcome.result {
                Ok(_) => Ok(()),
                Err(error) => Err(Stop::Code(exit::code(error.failure()))),
            };
        }
        other => other?,
    };
    if json {
        render::json(&evaluated.object)?;
        return match &evaluated.error {
            None => Ok(()),
            Some(refusal) => Err(Stop::Code(exit::code(&refusal.failure))),
        };
    }
    console.end_line()?;
    match evaluated.error {
        Some(refusal) => Err(Stop::Told(Box::new(refusal))),
        None => Ok(print(&evaluated.object)?),
    }
}

fn ask(request: Request, surroundings: &Surroundings, console: &Console) -> Result<Evaluated, Stop> {
    let mut client = Client::started(surroundings)?;
    let sender = client.sender();
    crate::context::on_interrupt(move || sender.cancel());
    let relay = Relay { console, sender: client.sender() };
    let mut front = Front { events: &relay, approver: &relay, changes: &mut |_| Ok(()) };
    Ok(console.during(|| client.call(request, &mut front))?)
}

/// Prints a value. What JSON has no form for is shown as its language shows it.
fn print(object: &Value) -> std::io::Result<()> {
    let value = &object["value"];
    match (value, object["shown"]["text"].as_str()) {
        (_, Some(text)) if value.get("$type").is_some() => render::text(&render::harmless(text)),
        _ => render::print_value(value),
    }
}

/// Brings what happens in the host to the terminal.
pub(crate) struct Relay<'a> {
    pub(crate) console: &'a Console,
    pub(crate) sender: Sender,
}

impl EventSink for Relay<'_> {
    fn event(&self, skill: &str, correlation_id: &str, event: &Event) {
        self.console.event(skill, correlation_id, event);
        // Nobody sees what it prints any more.
        if self.console.cancel().is_cancelled() {
            self.sender.cancel();
        }
    }
}

impl Approver for Relay<'_> {
    fn ask(&self, question: &Question) -> Option<Reply> {
        self.console.undisturbed(|| Prompt.ask(question))
    }
}

/// Code of the command line.
pub(crate) struct Code {
    /// The code.
    pub(crate) text: String,
    /// The file that it is from.
    pub(crate) file: Option<String>,
}

impl Code {
    /// The code itself, that of a file for `@FILE`, that of standard input for `-`. What has lines is code, whatever it begins
    /// with.
    pub(crate) fn of(text: &str) -> Result<Code, Error> {
        let file = text.strip_prefix('@').filter(|file| !file.contains('\n'));
        let text = match text.contains('\n') {
            true => text.to_owned(),
            false => super::text::given(text, "the code")?,
        };
        Ok(Code { text, file: file.map(str::to_owned) })
    }
}
