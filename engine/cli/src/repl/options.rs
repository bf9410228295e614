//! The command line of `skills repl`.

use crate::args::{Allowances, Bounds, InSession, Json};
use clap::Args;

/// Talk to a living session: code in, values out.
#[derive(Debug, Args)]
#[command(
    mut_arg("max_time", |arg| arg.help("Most execution time of each cell, such as 200ms, 5s or 2m")),
    mut_arg("max_memory", |arg| arg.help("Most memory of the session, such as 64MB")),
    mut_arg("max_operations", |arg| arg.help("Most operations of each cell: loop iterations and calls")),
    mut_arg("max_output", |arg| arg.help("Most printed output of each cell, such as 1MB"))
)]
pub(crate) struct ReplArgs {
    /// A skill of the type code_session; what its script defines is there
    pub(crate) skill: Option<String>,
    /// Language: python, javascript, typescript or rhai [default: python]
    #[arg(long, value_name = "LANGUAGE", conflicts_with = "skill", value_parser = crate::words::language)]
    pub(crate) lang: Option<String>,
    /// Keys as in vi [default: what `$INPUTRC` or ~/.inputrc says, else Emacs]
    #[arg(long, conflicts_with = "emacs")]
    pub(crate) vi: bool,
    /// Keys as in Emacs
    #[arg(long)]
    pub(crate) emacs: bool,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    #[command(flatten)]
    pub(crate) json: Json,
    #[command(flatten)]
    pub(crate) session: InSession,
    #[command(flatten)]
    pub(crate) allow: Allowances,
}
