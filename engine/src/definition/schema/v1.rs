//! What a v1 file may hold. Times are in milliseconds.

#![expect(dead_code, reason = "only the JSON Schemas of these structs are used")]

use super::shared::{Completion, Conversation, Guides, Output, Parameters, Persistence, Protocol, Stdin};
use schemars::JsonSchema;
use serde_json::Value;
use std::collections::BTreeMap;

/// A skill, first schema: `skill_type`, a `metadata` object, times in milliseconds.
#[derive(JsonSchema)]
#[schemars(title = "Skill definition, v1")]
pub(super) struct Definition {
    /// The schema of the file, for editors.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// The type of skill.
    skill_type: Kind,
    /// Name, description and the like.
    metadata: Metadata,
    /// Prompts that guide a model around the skill.
    prompt: Option<Guides>,
    /// What it runs.
    executor: Option<Executor>,
    /// The parameters, by name.
    parameters: Option<Parameters>,
    /// Session settings.
    session: Option<Session>,
    /// How a conversation goes.
    conversation: Option<Conversation>,
    /// How a conversation ends.
    completion: Option<Completion>,
}

/// The types of skill.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", rename = "KindV1")]
enum Kind {
    /// Runs once and gives a value; has an executor, and neither a conversation nor a session.
    CodeInline,
    /// Keeps state over several calls; has an executor and a session, and no conversation.
    CodeSession,
    /// A guided conversation; has a conversation and a session, and no executor.
    Conversation,
}

/// Name, description and the like. Other keys are free.
#[derive(JsonSchema)]
struct Metadata {
    /// The name that the skill is called by: 1 to 64 letters, digits, `-`, `_` and `.`.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// What it does and when to use it.
    description: Option<String>,
    /// Other names.
    aliases: Option<Vec<String>>,
    /// A semantic version.
    version: Option<String>,
    /// Who wrote it.
    author: Option<String>,
    /// Its license, as an SPDX expression.
    license: Option<String>,
    /// Where to read more.
    homepage: Option<String>,
}

/// What a skill runs.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase", rename = "ExecutorV1")]
enum Executor {
    /// Code in an embedded interpreter, or bash.
    Inline {
        /// `rhai`, `python`, `javascript`, `typescript` or `bash`; left out, the file's extension says it.
        language: Option<String>,
        /// A `file://` reference, or the code itself.
        code: String,
        /// What becomes of the output of bash.
        output: Option<Output>,
        /// Milliseconds that it may take.
        #[schemars(range(min = 1, max = 86_400_000))]
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
        /// Milliseconds that it may take.
        #[schemars(range(min = 1, max = 86_400_000))]
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
        /// Milliseconds that it may take.
        #[schemars(range(min = 1, max = 86_400_000))]
        timeout: Option<f64>,
        /// The tool's arguments, with `{parameter}` placeholders.
        mapping: Option<BTreeMap<String, Value>>,
    },
    /// Another agent.
    Delegate {
        /// The agent.
        agent: String,
        /// Milliseconds that it may take.
        #[schemars(range(min = 1, max = 86_400_000))]
        timeout: Option<f64>,
        /// Hand over when the work takes longer than this many milliseconds.
        #[schemars(range(min = 1, max = 86_400_000))]
        delegation_threshold: Option<f64>,
    },
    /// A chain of steps.
    Workflow {
        /// The steps, each a skill or tool with parameters.
        #[schemars(length(min = 1))]
        steps: Vec<BTreeMap<String, Value>>,
        /// Values for `{{context.name}}` placeholders.
        context: Option<BTreeMap<String, Value>>,
        /// Milliseconds that it may take.
        #[schemars(range(min = 1, max = 86_400_000))]
        timeout: Option<f64>,
    },
}

/// Session settings.
#[derive(JsonSchema)]
#[schemars(rename = "SessionV1")]
struct Session {
    /// Milliseconds that a session may live.
    #[schemars(range(min = 1, max = 2_592_000_000_f64))]
    max_duration: Option<f64>,
    /// Milliseconds that it may be idle.
    #[schemars(range(min = 1, max = 2_592_000_000_f64))]
    session_timeout: Option<f64>,
    /// How many sessions may live at once.
    #[schemars(range(min = 1, max = 1000))]
    max_sessions: Option<u32>,
    /// Whether its state is dropped when it ends.
    cleanup_on_exit: Option<bool>,
    /// Where its state is kept.
    state_persistence: Option<Persistence>,
    /// Whether a `command` that is Python or Node stays a process of its own, instead of running in the embedded interpreter.
    external: Option<bool>,
    /// How a program that stays a process of its own is asked.
    protocol: Option<Protocol>,
    /// What such a program is asked, with `{parameter}` placeholders; left out, the only parameter.
    request: Option<String>,
}
