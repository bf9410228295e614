//! What the command line says of sessions.

use super::Json;
use crate::words;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Which session, and how it is opened where it is not there.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Sessions")]
pub(crate) struct InSession {
    /// Do it in this session, which lives on; where there is none of this name, it is opened
    #[arg(long = "session", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where a new session keeps its state: memory, or disk to have it back whatever happens
    #[arg(long, value_name = "PLACE", requires = "name")]
    pub(crate) persist: Option<Persist>,
    /// End a new session after this long of nothing, such as 10m
    #[arg(long, value_name = "TIME", requires = "name", allow_hyphen_values = true, value_parser = words::duration)]
    pub(crate) idle: Option<Duration>,
    /// End a new session after this long, such as 8h
    #[arg(long, value_name = "TIME", requires = "name", allow_hyphen_values = true, value_parser = words::duration)]
    pub(crate) max_duration: Option<Duration>,
}

/// Where a session keeps its state.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Persist {
    // No documentation comments: clap would make a long help of them.
    Memory,
    Disk,
}

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// List the sessions that live
    #[command(visible_alias = "ls", after_help = "Example:\n  skills sessions list --json")]
    List(SessionList),
    /// Show everything about a session
    #[command(after_help = "Example:\n  skills sessions show analysis --json")]
    Show(SessionName),
    /// List the variables of a session
    #[command(after_help = "Example:\n  skills sessions vars analysis")]
    Vars(SessionName),
    /// End a session
    #[command(visible_alias = "close", after_help = "Example:\n  skills sessions kill analysis")]
    Kill(SessionName),
    /// Copy a session with all that it holds: from then on the two go their own ways
    #[command(after_help = "Example:\n  skills sessions fork analysis what-if")]
    Fork(SessionFork),
    /// Write what a session holds into a file
    #[command(after_help = "Example:\n  skills sessions export analysis analysis.session")]
    Export(SessionExport),
    /// Open a session with what such a file holds; its code runs confined, as what is typed does
    #[command(after_help = "Example:\n  skills sessions import analysis.session again")]
    Import(SessionImport),
    /// Show what happens in sessions, as it happens, until Ctrl-C
    #[command(after_help = "Example:\n  skills sessions watch --json")]
    Watch(SessionList),
    /// End the process that keeps sessions, and with it the sessions in memory; those on disk stay
    #[command(after_help = "Example:\n  skills sessions stop --force")]
    Stop(SessionStop),
}

impl Sessions {
    pub(super) fn json(&self) -> Json {
        match self {
            Sessions::List(args) | Sessions::Watch(args) => args.json,
            Sessions::Show(args) | Sessions::Vars(args) | Sessions::Kill(args) => args.json,
            Sessions::Stop(args) => args.json,
            Sessions::Fork(args) => args.json,
            Sessions::Export(args) => args.json,
            Sessions::Import(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SessionList {
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct SessionName {
    /// The session
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct SessionFork {
    /// The session
    pub(crate) name: String,
    /// The name of the copy
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct SessionExport {
    /// The session
    pub(crate) name: String,
    /// The file, which must not be there yet
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct SessionImport {
    /// The file
    pub(crate) file: PathBuf,
    /// The name of the session [default: one that is made up]
    pub(crate) name: Option<String>,
    /// Let the code in the file have the permissions of the skill that it says it is of
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct SessionStop {
    /// Even where something is under way
    #[arg(long, short)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}
