//! One file for each command.

mod completions;
mod create;
mod doctor;
mod eval;
mod info;
mod list;
pub(crate) mod live;
mod policy;
mod run;
mod schema;
mod session_files;
mod sessions;
mod text;
mod trust;
mod upgrade;
mod validate;
mod version;

use crate::args::Command;
use crate::exit::{self, Stop};
use crate::render;
use serde_json::json;
use skills::{Engine, Error, ErrorKind, Language, Skill};
use std::path::Path;
use std::sync::Arc;

/// Does what the command line says. What goes wrong is JSON too where JSON was asked for.
pub(crate) fn dispatch(command: Command) -> Result<(), Stop> {
    let as_json = command.as_json();
    match perform(command) {
        Err(Stop::Error(error)) if as_json => {
            render::json(&json!({"error": error.to_json()}))?;
            Err(Stop::Code(exit::code(error.failure())))
        }
        Err(Stop::Told(refusal)) if as_json => {
            let error = Error::from(refusal.failure.clone());
            let mut object = json!({"error": error.to_json()});
            if !refusal.diagnostics.is_empty() {
                object["error"]["diagnostics"] = json!(refusal.diagnostics);
            }
            render::json(&object)?;
            Err(Stop::Code(exit::code(error.failure())))
        }
        other => other,
    }
}

fn perform(command: Command) -> Result<(), Stop> {
    match command {
        Command::List(args) => list::list(&args),
        Command::Info(args) => info::info(&args),
        Command::Run(args) => run::run(&args),
        Command::Eval(args) => eval::eval(*args),
        Command::Sessions(args) => sessions::sessions(&args),
        Command::Repl(args) => crate::repl::repl(&args),
        Command::Validate(args) => validate::validate(&args),
        Command::Upgrade(args) => upgrade::upgrade(&args),
        Command::Schema(args) => schema::schema(&args),
        Command::Create(args) => create::create(&args),
        Command::Trust(args) => trust::trust(&args),
        Command::Policy(crate::args::Policy::Check(args)) => policy::check(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Version(args) => version::version(&args),
    }
}

/// The skill that a person names. Where a file or a folder has that name but no skill, how to say it as a path.
pub(crate) fn skill(engine: &Engine, name: &str) -> Result<Arc<Skill>, Error> {
    engine.skill(name).map_err(|error| here(name, error))
}

/// An error that says how to name what is here, where it is only a name that was not found.
pub(crate) fn here(name: &str, error: Error) -> Error {
    let is_name = !name.starts_with('.') && !name.contains('/');
    match error.kind() == ErrorKind::NotFound && is_name && Path::new(name).exists() {
        true => Error::new(ErrorKind::NotFound, error.message()).with_help(format!("for what is here, say `./{name}`")),
        false => error,
    }
}

/// The languages that code can be in: those of the interpreters, and bash, which is a program.
pub(crate) fn languages(engine: &Engine) -> Vec<Language> {
    engine.languages().into_iter().chain([Language::Bash]).collect()
}

/// The language of a name that a person gives.
pub(crate) fn language(engine: &Engine, name: &str) -> Result<Language, Error> {
    Language::from_name(name).ok_or_else(|| {
        let known: Vec<_> = languages(engine).into_iter().map(Language::as_str).collect();
        Error::new(ErrorKind::InvalidArguments, format!("`{name}` is not a language"))
            .with_help(format!("use one of {}", known.join(", ")))
    })
}
