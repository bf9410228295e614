//! What a v2 file may hold. Times are in seconds.

#![expect(dead_code, reason = "only the JSON Schemas of these structs are used")]

use super::protection::{Limits, Resilience, Sandbox, Security};
use super::shared::{
    Completion, ContextFilesOrPatterns, Conversation, Output, Parameters, Persistence, Prompt, Protocol, Stdin,
};
use schemars::JsonSchema;
use serde_json::Value;
use std::collections::BTreeMap;

/// A skill, second schema: `type`, flat, times in seconds.
#[derive(JsonSchema)]
#[schemars(title = "Skill definition, v2")]
pub(super) struct Definition {
    /// The schema of the file, for editors.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// The name that the skill is called by: 1 to 64 letters, digits, `-`, `_` and `.`. Left out, the file's name.
    #[schemars(length(min = 1, max = 64))]
    name: Option<String>,
    /// What it does and when to use it.
    description: Option<String>,
    /// A semantic version.
    version: Option<String>,
    /// Other names.
    aliases: Option<Vec<String>>,
    /// Where the skill belongs: `workspace` is the project.
    scope: Option<Scope>,
    /// Who wrote it.
    author: Option<String>,
    /// Its license, as an SPDX expression.
    license: Option<String>,
    /// Where to read more.
    homepage: Option<String>,
    /// The type of skill.
    #[schemars(rename = "type")]
    kind: Kind,
    /// A program to run, or a line for a shell where `shell` is true.
    command: Option<String>,
    /// The program's arguments, with `{parameter}` placeholders.
    args: Option<Vec<String>>,
    /// Whether `command` is a line for a shell.
    shell: Option<bool>,
    /// Environment variables of the program.
    environment: Option<BTreeMap<String, String>>,
    /// The folder that the program runs in.
    working_directory: Option<String>,
    /// What the program reads from its standard input.
    stdin: Option<Stdin>,
    /// What becomes of the output of the program, or of bash.
    output: Option<Output>,
    /// What the program's exit codes mean: why it failed, or `ok`.
    exit_codes: Option<BTreeMap<String, String>>,
    /// Code to run: a `file://` reference, or the code itself.
    code: Option<String>,
    /// The language of `code`: `rhai`, `python`, `javascript`, `typescript` or `bash`.
    language: Option<String>,
    /// What it runs, in one object.
    executor: Option<Executor>,
    /// Seconds that a run may take.
    #[schemars(range(min = 0.001, max = 86_400))]
    timeout: Option<f64>,
    /// The template of a `prompt_inline` skill, or the prompts that guide a model around a code skill.
    prompt: Option<Prompt>,
    /// How a conversation begins, or the template of a `prompt_inline` skill.
    prompt_template: Option<String>,
    /// Scripts beside a `prompt_inline` skill that can be run by name.
    scripts: Option<Vec<String>>,
    /// The parameters, as a list or by name.
    parameters: Option<Parameters>,
    /// How the value is shown to a person.
    output_format: Option<OutputFormat>,
    /// How a conversation goes.
    conversation: Option<Conversation>,
    /// How a conversation ends.
    completion: Option<Completion>,
    /// Files that a conversation includes.
    context_files: Option<ContextFilesOrPatterns>,
    /// The model of a conversation.
    model: Option<String>,
    /// How many tokens of context a conversation uses.
    #[schemars(range(min = 1, max = 100_000_000))]
    context_window: Option<u64>,
    /// Session settings.
    session_config: Option<Session>,
    /// Limits of a run.
    resource_limits: Option<Limits>,
    /// What the skill may reach, in short.
    sandbox: Option<Sandbox>,
    /// What the skill may reach, and its limits.
    security: Option<Security>,
    /// What to do when it fails.
    resilience: Option<Resilience>,
    /// Skills that it needs: names with version ranges.
    dependencies: Option<BTreeMap<String, String>>,
    /// Names that it provides, with versions.
    provides: Option<BTreeMap<String, String>>,
    /// Free metadata: `tags`, `category`, `maturity` and whatever else.
    metadata: Option<BTreeMap<String, Value>>,
}

/// The types of skill.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Kind {
    /// Runs once and gives a value.
    CodeInline,
    /// Keeps state over several calls.
    CodeSession,
    /// A guided conversation.
    Conversation,
    /// A prompt template.
    PromptInline,
}

/// How a value is shown to a person.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum OutputFormat {
    /// A string as it is, anything else as JSON.
    Text,
    /// The same; the string is Markdown.
    Markdown,
    /// As JSON, a string too.
    Json,
}

/// Where a skill belongs.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Scope {
    /// The project.
    Workspace,
    /// The project.
    Project,
    /// The user.
    User,
    /// The user.
    Global,
}

/// What a skill runs.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase")]
enum Executor {
    /// Code in an embedded interpreter, or bash.
    Inline {
        /// `rhai`, `python`, `javascript`, `typescript` or `bash`; left out, the file's extension says it.
        language: Option<String>,
        /// A `file://` reference, or the code itself.
        code: String,
        /// What becomes of the output of bash.
        output: Option<Output>,
        /// Seconds that it may take.
        #[schemars(range(min = 0.001, max = 86_400))]
        timeout: Option<f64>,
    },
    /// An external program.
    Command {
        /// The program.
        command: String,
        /// Its arguments, with `{parameter}` placeholders.
        args: Option<Vec<String>>,
        /// Whether `command` is a line for a shell.
        shell: Option<bool>,
        /// Seconds that it may take.
        #[schemars(range(min = 0.001, max = 86_400))]
        timeout: Option<f64>,
        /// The folder to run in.
        working_directory: Option<String>,
        /// Environment variables.
        env: Option<BTreeMap<String, String>>,
        /// What it reads from its standard input.
        stdin: Option<Stdin>,
        /// What becomes of its output.
        output: Option<Output>,
        /// What exit codes mean: why it failed, or `ok`.
        exit_codes: Option<BTreeMap<String, String>>,
    },
    /// A tool of an MCP server.
    Mcp {
        /// The server's name in the configuration.
        server: String,
        /// The tool.
        tool: String,
        /// Seconds that it may take.
        #[schemars(range(min = 0.001, max = 86_400))]
        timeout: Option<f64>,
        /// The tool's arguments, with `{parameter}` placeholders.
        mapping: Option<BTreeMap<String, Value>>,
    },
    /// Another agent.
    Delegate {
        /// The agent.
        agent: String,
        /// Seconds that it may take.
        #[schemars(range(min = 0.001, max = 86_400))]
        timeout: Option<f64>,
        /// Hand over when the work takes longer than this many seconds.
        #[schemars(range(min = 0.001, max = 86_400))]
        delegation_threshold: Option<f64>,
    },
    /// A chain of steps.
    Workflow {
        /// The steps, each a skill or tool with parameters.
        #[schemars(length(min = 1))]
        steps: Vec<BTreeMap<String, Value>>,
        /// Values for `{{context.name}}` placeholders.
        context: Option<BTreeMap<String, Value>>,
        /// Seconds that it may take.
        #[schemars(range(min = 0.001, max = 86_400))]
        timeout: Option<f64>,
    },
}

/// Session settings.
#[derive(JsonSchema)]
struct Session {
    /// Seconds that a session may be idle.
    #[schemars(range(min = 0.001, max = 2_592_000))]
    session_timeout: Option<f64>,
    /// Seconds that a session may live.
    #[schemars(range(min = 0.001, max = 2_592_000))]
    max_duration: Option<f64>,
    /// How many sessions may live at once.
    #[schemars(range(min = 1, max = 1000))]
    max_sessions: Option<u32>,
    /// Whether its state is dropped when it ends.
    cleanup_on_exit: Option<bool>,
    /// Whether its state is saved between executions, or where.
    state_persistence: Option<Persistence>,
    /// Whether a `command` that is Python or Node stays a process of its own, instead of running in the embedded interpreter.
    external: Option<bool>,
    /// How a program that stays a process of its own is asked.
    protocol: Option<Protocol>,
    /// What such a program is asked, with `{parameter}` placeholders; left out, the only parameter.
    request: Option<String>,
}
