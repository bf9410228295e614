//! How `skills repl` begins and ends.

use super::editor::LineEditor;
use super::live::Sessions;
use super::local::Local;
use super::remote::Remote;
use super::shared::Shared;
use super::{Repl, ReplArgs, Screen, highlight, interrupt, piped};
use crate::commands::live;
use crate::context::Context;
use crate::exit::Stop;
use crate::host::Seat;
use crate::render::{self, Console};
use crate::surroundings::Surroundings;
use skills::{Engine, Error, ErrorKind, Isolation, Language, LimitOverrides, RunOptions, Skill};
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
    let mut options = options(args)?;
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
        editor: None,
        json: args.json.json,
        cells: Vec::new(),
        limits: LimitOverrides::default(),
        meter: false,
        all: None,
        reports: Vec::new(),
        images: None,
        surroundings,
    };
    let result = if person { talk(&mut repl, args, skill.as_deref()) } else { give(&mut repl, skill.as_deref()) };
    shared.session().leave();
    result
}

/// With a person at a terminal.
fn talk(repl: &mut Repl, args: &ReplArgs, skill: Option<&Skill>) -> Result<(), Stop> {
    if repl.screen.color {
        highlight::warm();
    }
    let folder = repl.surroundings.own_folder("XDG_STATE_HOME", ".local/state");
    let editor = LineEditor::new(Arc::clone(&repl.shared), args.vi && !args.emacs, repl.screen.color, folder)
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("the terminal cannot be used: {error}")))?;
    repl.editor = Some(editor);
    render::note(&banner(repl, skill));
    if let Some(skill) = skill {
        match greet(repl, skill) {
            Err(Stop::Error(error)) => repl.complain(&error),
            Err(Stop::Output(error)) => return Err(error.into()),
            _ => {}
        }
    }
    repl.talk()
}

/// With what standard input holds.
fn give(repl: &mut Repl, skill: Option<&Skill>) -> Result<(), Stop> {
    if let Some(skill) = skill {
        greet(repl, skill)?;
    }
    piped::run(repl)
}

/// One line: what this is, and where help is.
fn banner(repl: &Repl, skill: Option<&Skill>) -> String {
    let info = repl.shared.session().info().unwrap_or_default();
    let tier = info["isolation"].as_str().unwrap_or_default().replace('_', " ");
    let what = skill.map_or_else(|| repl.shared.language().to_string(), |skill| skill.name.clone());
    repl.screen.styled(
        super::show::dim(),
        &format!("skills {}: {what} ({tier}). %help lists the commands, Ctrl-D leaves.", env!("CARGO_PKG_VERSION")),
    )
}

/// Says what a skill is, and evaluates its script, so that what it defines is there.
fn greet(repl: &mut Repl, skill: &Skill) -> Result<(), Stop> {
    if repl.editor.is_some() && !skill.description.is_empty() {
        render::note(&render::harmless(&skill.description));
    }
    // In a session that lives on, what the script defines is there already, as it is by now.
    if let Some(script) = skill.script().filter(|_| repl.shared.session().is_new()) {
        let outcome = repl.ask(script.language, &script.source, Some(&script.file));
        outcome.result?;
    }
    Ok(())
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
            .with_help("use one of python, javascript, typescript, rhai")
    })
}

/// Where code that a person types has to run. A skill that is trusted would run in process, and its session would then take
/// none of it.
fn typed_tier(engine: &Engine, language: Language, options: &RunOptions) -> Result<Option<Isolation>, Error> {
    let tier = engine.judge_skill(&engine.code(language, ""), options)?.plan().isolation();
    Ok(Some(tier).filter(|tier| *tier != Isolation::InProcess))
}

fn options(args: &ReplArgs) -> Result<RunOptions, Error> {
    let mut options = RunOptions::default();
    args.bounds.add_to(&mut options)?;
    args.allow.add_to(&mut options)?;
    Ok(options)
}

/// The names of skills, for completion.
fn names(engine: &Engine) -> Vec<String> {
    engine.catalog().entries().iter().map(|entry| entry.name().to_owned()).collect()
}
