//! The command line of `skills repl`.

use crate::args::{Allowances, InSession, Json};
use crate::words;
use clap::Args;
use std::time::Duration;

/// Talk to a living session: code in, values out.
#[derive(Debug, Args)]
pub(crate) struct ReplArgs {
    /// A skill of the type code_session; what its script defines is there
    pub(crate) skill: Option<String>,
    /// Language: python, javascript, typescript or rhai [default: python]
    #[arg(long, value_name = "LANGUAGE", conflicts_with = "skill")]
    pub(crate) lang: Option<String>,
    /// Keys as in vi
    #[arg(long, conflicts_with = "emacs")]
    pub(crate) vi: bool,
    /// Keys as in Emacs, whatever the configuration says
    #[arg(long)]
    pub(crate) emacs: bool,
    /// Most execution time of each cell, such as 200ms, 5s or 2m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = words::duration)]
    pub(crate) max_time: Option<Duration>,
    /// Most memory of the session, such as 64MB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = words::size)]
    pub(crate) max_memory: Option<u64>,
    /// Most operations of each cell: loop iterations and calls
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = words::count)]
    pub(crate) max_operations: Option<u64>,
    /// Most printed output of each cell, such as 1MB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = words::size)]
    pub(crate) max_output: Option<u64>,
    /// Where it runs: in-process or worker
    #[arg(long, value_name = "TIER")]
    pub(crate) isolation: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
    #[command(flatten)]
    pub(crate) session: InSession,
    #[command(flatten)]
    pub(crate) allow: Allowances,
}
