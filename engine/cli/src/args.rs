//! What the command line says.

mod sessions;

use crate::exit::{Stop, USAGE};
use crate::repl::ReplArgs;
use crate::words;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use skills::Isolation;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use sessions::*;

/// Small programs in Rhai, Python and JavaScript, run with limits
#[derive(Debug, Parser)]
#[command(name = "skills", version, arg_required_else_help = true, max_term_width = 110)]
#[command(after_help = "Example:\n  skills run calculator operation=add operand1=5 operand2=3")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List all skills
    #[command(visible_alias = "ls", after_help = "Examples:\n  skills list\n  skills list csv --json")]
    List(List),
    /// Show everything about a skill
    #[command(after_help = "Examples:\n  skills info calculator\n  skills info bundled:calculator --json")]
    Info(Info),
    /// Run a skill, a script file, or code
    #[command(
        after_help = words::RUN_HELP,
        override_usage = "skills run [OPTIONS] <SKILL> [PARAMETER]...\n       skills run [OPTIONS] -e <CODE> [PARAMETER]...",
        mut_arg("json", |json| json.help("Print one JSON object: value, output, error, usage, limits"))
    )]
    Run(Box<Run>),
    /// Evaluate code, in a session that lives on where one is named
    #[command(
        after_help = words::EVAL_HELP,
        mut_arg("json", |json| json.help("Print one JSON object: value, output, error, usage, limits"))
    )]
    Eval(Box<Eval>),
    /// List, inspect, copy, save and end sessions
    #[command(
        subcommand,
        after_help = "Examples:\n  skills sessions list\n  skills sessions vars analysis\n  skills sessions kill analysis"
    )]
    Sessions(Sessions),
    /// Talk to a living session: code in, values out
    #[command(
        after_help = "Examples:\n  skills repl\n  skills repl --lang js\n  skills repl --allow-net api.github.com\n  skills repl < cells.py",
        mut_arg("json", |json| json.help("Print one JSON object for each cell of what is piped in"))
    )]
    Repl(Box<ReplArgs>),
    /// Check definitions, and report every problem at once
    #[command(
        visible_alias = "check",
        after_help = "Examples:\n  skills validate\n  skills validate ./calculator/calculator.json --json\n  skills validate --codes"
    )]
    Validate(Validate),
    /// Print a definition in the current form (v2)
    #[command(after_help = "Examples:\n  skills upgrade old.json\n  skills upgrade old.json --write")]
    Upgrade(Upgrade),
    /// Print the JSON Schema of definitions
    #[command(after_help = "Example:\n  skills schema v2 > skill-v2.schema.json")]
    Schema(Schema),
    /// Create a skill: ./NAME/NAME.json with its files and a test case
    #[command(
        visible_alias = "init",
        after_help = "Examples:\n  skills create greeter --lang python\n  skills create review --type prompt_inline"
    )]
    Create(Create),
    /// List, make and forget decisions about what may run
    #[command(
        subcommand,
        after_help = "Examples:\n  skills trust list\n  skills trust grant .skills/deploy --reason 'read it'\n  skills trust revoke .skills"
    )]
    Trust(Trust),
    /// Explain what a skill may do
    #[command(subcommand, after_help = "Example:\n  skills policy check csv-summary --json")]
    Policy(Policy),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  skills completions bash > ~/.local/share/bash-completion/completions/skills")]
    Completions(Completions),
    /// Try every limit in every language, and show what this machine has
    #[command(after_help = "Example:\n  skills doctor --json")]
    Doctor(Doctor),
    /// Print the version and what is built in
    #[command(after_help = "Example:\n  skills version --json")]
    Version(Version),
}

impl Command {
    /// Whether JSON was asked for.
    pub(crate) fn as_json(&self) -> bool {
        let json = match self {
            Command::List(args) => args.json,
            Command::Info(args) => args.json,
            Command::Run(args) => args.json,
            Command::Eval(args) => args.json,
            Command::Sessions(args) => args.json(),
            Command::Repl(args) => args.json,
            Command::Validate(args) => args.json,
            Command::Upgrade(args) => args.json,
            Command::Schema(args) => args.json,
            Command::Create(args) => args.json,
            Command::Trust(Trust::List(args)) => args.json,
            Command::Trust(Trust::Grant(args)) => args.json,
            Command::Trust(Trust::Revoke(args)) => args.json,
            Command::Policy(Policy::Check(args)) => args.json,
            Command::Completions(args) => args.json,
            Command::Doctor(args) => args.json,
            Command::Version(args) => args.json,
        };
        json.json
    }
}

/// Prints JSON instead of text.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only skills whose name, alias, tags or description contain this
    pub(crate) filter: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Name, alias, scope:name, or path of a definition
    pub(crate) skill: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Name, alias, scope:name, path of a definition, or a script file
    #[arg(value_name = "SKILL", required_unless_present = "expression")]
    pub(crate) target: Option<String>,
    /// Parameters as words: name=value, --name value, or just values in order
    #[arg(value_name = "PARAMETER")]
    pub(crate) words: Vec<String>,
    /// Run this code instead of a skill
    #[arg(short = 'e', long = "eval", value_name = "CODE", conflicts_with = "script", allow_hyphen_values = true)]
    pub(crate) expression: Option<String>,
    /// Language: rhai, python, javascript, typescript or bash [default: rhai]
    #[arg(long, value_name = "LANGUAGE", value_parser = words::language)]
    pub(crate) lang: Option<String>,
    /// Parameters as a JSON object; @FILE reads a file, - reads standard input
    #[arg(long, value_name = "JSON")]
    pub(crate) params: Option<String>,
    /// Run this script of a SKILL.md folder
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<String>,
    /// Print what would run, with what limits and capabilities, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    #[command(flatten)]
    pub(crate) json: Json,
    #[command(flatten)]
    pub(crate) session: InSession,
    #[command(flatten)]
    pub(crate) allow: Allowances,
}

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The code; @FILE reads a file, - reads standard input
    pub(crate) code: String,
    /// Language: rhai, python, javascript, typescript or bash [default: the session's, or rhai]
    #[arg(long, value_name = "LANGUAGE", value_parser = words::language)]
    pub(crate) lang: Option<String>,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    #[command(flatten)]
    pub(crate) json: Json,
    #[command(flatten)]
    pub(crate) session: InSession,
    #[command(flatten)]
    pub(crate) allow: Allowances,
}

/// Limits, and where code runs.
#[derive(Debug, Args)]
pub(crate) struct Bounds {
    /// Most execution time, such as 200ms, 5s or 2m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = words::duration)]
    pub(crate) max_time: Option<Duration>,
    /// Most memory, such as 64MB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = words::size)]
    pub(crate) max_memory: Option<u64>,
    /// Most operations: loop iterations and calls
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = words::count)]
    pub(crate) max_operations: Option<u64>,
    /// Most printed output, such as 1MB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = words::size)]
    pub(crate) max_output: Option<u64>,
    /// Where it runs: in-process, worker or container
    #[arg(long, value_name = "TIER", value_parser = words::isolation)]
    pub(crate) isolation: Option<Isolation>,
}

/// What a person allows for one run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Permissions for this run, each as often as needed")]
pub(crate) struct Allowances {
    /// Let it read below PATH
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_read: Vec<String>,
    /// Let it write below PATH
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_write: Vec<String>,
    /// Let it reach HOST: example.com, *.example.com, 10.0.0.0/8, with :443 for one port, or *
    #[arg(long, value_name = "HOST", value_parser = words::host)]
    pub(crate) allow_net: Vec<String>,
    /// Let it start PROGRAM
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) allow_run: Vec<String>,
    /// Give it the environment variable NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_env: Vec<String>,
    /// Give it the secret NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_secret: Vec<String>,
    /// Let it reach the session NAME of somebody else
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_session: Vec<String>,
    /// Say yes to whatever would be asked
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// What to do with decisions.
#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    /// List what was decided, the newest first
    List(TrustList),
    /// Trust skills as they are now: a definition, a name, or all below a folder
    Grant(TrustGrant),
    /// Forget what was decided about a skill, or about all below a folder
    Revoke(TrustRevoke),
}

#[derive(Debug, Args)]
pub(crate) struct TrustList {
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct TrustGrant {
    /// A definition, the folder of one, a name, or a folder of skills
    pub(crate) path: String,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Why, for `skills trust list`
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct TrustRevoke {
    /// A definition, the folder of one, a name, or a folder of skills
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// What to do with policy.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Print whether a skill may run, where, with what, and every rule that matched; run nothing
    #[command(after_help = "Example:\n  skills policy check csv-summary -- path=data.csv")]
    Check(PolicyCheck),
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCheck {
    /// Name, alias, scope:name, path of a definition, or a script file
    pub(crate) skill: String,
    /// Parameters as words, after a --; they need not be complete
    #[arg(value_name = "PARAMETER", last = true)]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
    #[command(flatten)]
    pub(crate) allow: Allowances,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Definitions by path or name, or folders of them; without any, all that are found
    #[arg(value_name = "DEFINITION")]
    pub(crate) targets: Vec<String>,
    /// List the codes that diagnostics have
    #[arg(long)]
    pub(crate) codes: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// The definition to upgrade
    pub(crate) file: PathBuf,
    /// Replace the file; the old one, with its comments, is kept as FILE.bak
    #[arg(long, short)]
    pub(crate) write: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// A form of definitions that has a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    // No documentation comments: clap would make a long help of them.
    V1,
    V2,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// v2 (`type`, times in seconds) or v1 (`skill_type`, times in milliseconds)
    #[arg(value_enum, default_value = "v2", hide_possible_values = true)]
    pub(crate) form: Form,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The name: letters, digits, - and _
    pub(crate) name: String,
    /// code_inline, code_session, conversation or prompt_inline [default: code_inline]
    #[arg(
        long = "type",
        value_name = "TYPE",
        default_value = "code_inline",
        value_parser = ["code_inline", "code_session", "conversation", "prompt_inline"],
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) kind: String,
    /// rhai, python, javascript, typescript or bash, for skills that run code [default: python]
    #[arg(long, value_name = "LANGUAGE", value_parser = words::language)]
    pub(crate) lang: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Version {
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Reads the command line.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, Stop> {
    let arguments: Vec<OsString> = arguments.collect();
    let as_json = arguments.iter().take_while(|word| *word != "--").any(|word| word == "--json");
    read(arguments).map_err(|stop| match stop {
        Stop::Usage(error, _) => Stop::Usage(error, as_json),
        other => other,
    })
}

/// `run` takes its skill's parameters as options too, so those are set apart first.
fn read(arguments: Vec<OsString>) -> Result<Command, Stop> {
    let is_run = arguments.get(1).is_some_and(|first| first == "run");
    let arguments = if is_run { words::set_apart(arguments, &Cli::command()) } else { arguments };
    let matches = Cli::command().try_get_matches_from(arguments)?;
    let command = Cli::from_arg_matches(&matches)?.command;
    // What is no option of `run` is a parameter, but of which skill?
    let stray = match &command {
        Command::Run(run) if run.expression.is_none() => run.target.clone().filter(|target| target.starts_with('-')),
        _ => None,
    };
    let Some(stray) = stray else { return Ok(command) };
    let message = format!("unexpected argument '{stray}' found: a skill's parameters stand behind its name");
    let mut cli = Cli::command();
    let error = cli.find_subcommand_mut("run").map(|run| run.error(ErrorKind::UnknownArgument, message));
    Err(error.map_or(Stop::Code(USAGE), Stop::from))
}
