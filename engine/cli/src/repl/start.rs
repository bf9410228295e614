//! How `skills repl` begins and ends.

use super::editor::LineEditor;
use super::image::Pictures;
use super::live::Sessions;
use super::local::Local;
use super::remote::Remote;
use super::shared::Shared;
use super::{Repl, ReplArgs, Screen, highlight, interrupt, keys, piped, reflow};
use crate::commands::live;
use crate::context::Context;
use crate::exit::Stop;
use crate::host::Seat;
use crate::render::{self, Console};
use crate::surroundings::Surroundings;
use skills::{Engine, Error, ErrorKind, Isolation, Language, LimitOverrides, RunOptions, Skill};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;

/// Talks to a living session, or evaluates what standard input holds.
pub(crate) fn repl(args: &ReplArgs) -> Result<(), Stop> {
    let person = std::io::stdin().is_terminal();
    if args.json.json && person {
        return Err(Error::new(ErrorKind::InvalidArguments, "`--json` is for what is piped in")
            .with_help("give the code on standard input: `skills repl --json < cells.py`")
            .into());
    }
    let surroundings = Surroundings::own();
    let console = Arc::new(Console::new(!args.json.json, surroundings.log_level()));
    let context = Context::of(surroundings.clone());
    let engine = context.engine(Arc::clone(&console) as _)?;
    let skill = args.skill.as_deref().map(|name| crate::commands::skill(&engine, name)).transpose()?;
    let language = language(args, skill.as_deref())?;
    let mut options = options(args);
    // A program is confined anyway.
    if skill.is_some() && options.isolation.is_none() && language != Language::Program {
        options.isolation = typed_tier(&engine, language, &options)?;
    }
    let sessions: Box<dyn Sessions> = match &args.session.name {
        Some(_) => Box::new(Remote {
            opening: live::opening_of(&args.session, options, args.skill.as_deref(), &surroundings),
            explicit: args.lang.is_some(),
            console: Arc::clone(&console),
            seat: Seat { streams: !args.json.json, person },
        }),
        None => Box::new(Local::new(engine.clone(), skill.clone(), options)),
    };
    let session = sessions.open(language, args.session.name.as_deref())?;
    let names = if person { names(&engine) } else { Vec::new() };
    let shared = Arc::new(Shared::new(session, names));
    interrupt::watch(Arc::clone(&shared));
    let screen = Screen::new();
    let mut repl = Repl {
        engine,
        console,
        screen,
        sessions,
        shared: Arc::clone(&shared),
        skill,
        editor: None,
        json: args.json.json,
        cells: Vec::new(),
        limits: LimitOverrides::default(),
        meter: false,
        all: None,
        reports: Vec::new(),
        used: BTreeMap::new(),
        told: None,
        images: None,
        pictures: Pictures::default(),
        surroundings,
    };
    let result = if person { talk(&mut repl, args) } else { give(&mut repl) };
    shared.session().leave();
    result
}

/// With a person at a terminal.
fn talk(repl: &mut Repl, args: &ReplArgs) -> Result<(), Stop> {
    if repl.screen.color {
        highlight::warm();
    }
    let folder = repl.surroundings.own_folder("XDG_STATE_HOME", ".local/state");
    let keys = keys::chosen(args, &repl.surroundings);
    let editor = LineEditor::new(Arc::clone(&repl.shared), keys, repl.screen.color, folder)
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("the terminal cannot be used: {error}")))?;
    repl.editor = Some(editor);
    render::note(&banner(repl));
    if let Some(skill) = repl.skill.as_ref().filter(|skill| !skill.description.is_empty()) {
        render::note(&reflow::words(&render::harmless(&skill.description), repl.screen.size().0));
    }
    match repl.define() {
        Err(Stop::Error(error)) => repl.complain(&error),
        other => other?,
    }
    repl.talk()
}

/// With what standard input holds.
fn give(repl: &mut Repl) -> Result<(), Stop> {
    repl.define()?;
    piped::run(repl)
}

/// One line: what this is, and where help is.
fn banner(repl: &Repl) -> String {
    let info = repl.shared.session().info().unwrap_or_default();
    let tier = info["isolation"].as_str().unwrap_or_default().replace('_', " ");
    let what = repl.skill.as_ref().map_or_else(|| repl.shared.language().to_string(), |skill| skill.name.clone());
    repl.screen.styled(
        super::show::dim(),
        &format!("skills {}: {what} ({tier}). %help lists the commands, Ctrl-D leaves.", env!("CARGO_PKG_VERSION")),
    )
}

fn language(args: &ReplArgs, skill: Option<&Skill>) -> Result<Language, Error> {
    if let Some(skill) = skill {
        return skill.session_language().ok_or_else(|| {
            let message =
                format!("`{}` has no script, and no program that stays: there is nothing to talk to", skill.name);
            Error::new(ErrorKind::InvalidArguments, message).with_help(format!("`skills run {}` runs it", skill.name))
        });
    }
    let name = args.lang.as_deref().unwrap_or("python");
    Language::from_name(name).ok_or_else(|| {
        Error::new(ErrorKind::InvalidArguments, format!("`{name}` is not a language"))
            .with_help("use one of python, javascript, typescript, rhai, bash")
    })
}

/// Where code that a person types has to run. A skill that is trusted would run in process, and its session would then take
/// none of it.
fn typed_tier(engine: &Engine, language: Language, options: &RunOptions) -> Result<Option<Isolation>, Error> {
    let tier = engine.judge_skill(&engine.code(language, ""), options)?.plan().isolation();
    Ok(Some(tier).filter(|tier| *tier != Isolation::InProcess))
}

fn options(args: &ReplArgs) -> RunOptions {
    let mut options = RunOptions::default();
    args.bounds.add_to(&mut options);
    args.allow.add_to(&mut options);
    options
}

/// The names of skills, for completion.
fn names(engine: &Engine) -> Vec<String> {
    engine.catalog().entries().iter().map(|entry| entry.name().to_owned()).collect()
}
