//! A program as a definition declares it, and one run of it.

mod fill;
mod find;
mod output;
mod request;
pub(crate) mod run;

pub use fill::Call;
pub use output::OutputForm;
pub use run::{Machine, run};

use crate::Protocol;
use serde::Serialize;
use skills_core::Script;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// An external program with its arguments.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CommandSpec {
    /// The program, or the whole line where `shell` is set.
    pub command: String,
    /// The arguments, with `{parameter}` placeholders.
    pub args: Vec<String>,
    /// Whether `command` is source for a shell.
    pub shell: bool,
    /// Environment variables, with `{parameter}` placeholders in their values.
    pub env: BTreeMap<String, String>,
    /// The folder to run in, as written.
    pub working_directory: Option<String>,
    /// What it reads from its standard input.
    #[serde(skip_serializing_if = "Stdin::is_none")]
    pub stdin: Stdin,
    /// What exit codes mean.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exit_codes: BTreeMap<i32, ExitMeaning>,
}

/// What a program reads from its standard input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stdin {
    /// Nothing: it ends at once.
    #[default]
    None,
    /// The parameters, as one JSON object.
    Json,
}

impl Stdin {
    fn is_none(&self) -> bool {
        *self == Stdin::None
    }
}

/// What an exit code means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitMeaning {
    /// The program did what it was to do.
    Success,
    /// It failed, and this is why.
    Failure(String),
}

/// One run of a program, with everything filled in. Serialises as what `--dry-run --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invocation {
    /// The program, as the definition names it, or `bash`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment variables beside those that every program has.
    pub environment: BTreeMap<String, String>,
    /// The folder to run in, as the definition writes it.
    pub working_directory: Option<String>,
    /// What it reads from its standard input.
    #[serde(skip)]
    pub stdin: String,
    /// What becomes of its standard output.
    pub output: OutputForm,
    /// What exit codes mean.
    #[serde(skip)]
    pub exit_codes: BTreeMap<i32, ExitMeaning>,
    /// The script, where bash runs one, for the places in errors.
    #[serde(skip)]
    pub script: Option<Arc<Script>>,
    /// What errors call it: the program, or the file of the script.
    #[serde(skip)]
    pub name: String,
    /// The skill's own folder, which it may read.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
    /// How it is asked, where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// What it is asked, where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Invocation {
    /// Whether bash runs source of the definition, rather than a program with arguments.
    pub fn is_shell(&self) -> bool {
        self.program == fill::BASH && self.arguments.first().is_some_and(|first| first == "-c")
    }
}
