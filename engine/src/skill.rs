//! What a definition means: every default filled in, every reference read, whatever form it was written in.

use crate::Diagnostic;
use crate::files::SkillFiles;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use skills_core::{Language, ParameterSpec, Script};
pub use skills_executors::{CommandSpec, ExitMeaning, OutputForm, Pattern, Protocol, Stdin};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The four types of skill of the schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkillKind {
    /// Runs once and gives a value.
    CodeInline,
    /// Keeps state over several calls.
    CodeSession,
    /// A guided conversation.
    Conversation,
    /// A prompt template.
    PromptInline,
}

/// The form a definition is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dialect {
    /// `skill_type`, nested, times in milliseconds.
    V1,
    /// `type`, flat, times in seconds.
    V2,
    /// A folder with a `SKILL.md`.
    SkillMd,
    /// A flat definition with an `implementation` and `{{name}}` placeholders.
    Implementation,
    /// A slash command: `command` as a name, with a `handler`.
    SlashCommand,
    /// A custom command whose `handler` is keyed by its kind.
    CustomCommand,
    /// A theme or status command: `command` is an object with a `program`.
    ProgramCommand,
    /// Instructions with a list of shell commands.
    CommandList,
    /// A chain of steps.
    Workflow,
}

/// Where a skill was found. Later scopes shadow earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// Part of the engine.
    Bundled,
    /// The user's own.
    User,
    /// The project's, from its root down to the working folder.
    Project,
    /// Given by the host program: see [`SkillSource`](crate::SkillSource).
    Host,
    /// Named by its path, or code given directly.
    Direct,
}

impl Scope {
    /// The name that comes before the colon in `bundled:calculator`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Bundled => "bundled",
            Scope::User => "user",
            Scope::Project => "project",
            Scope::Host => "host",
            Scope::Direct => "direct",
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A skill. Immutable; shared as `Arc<Skill>`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Skill {
    /// The name it is called by.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Its version, where it says one.
    pub version: Option<Version>,
    /// Other names.
    pub aliases: Vec<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Its license, as an SPDX expression where it is one.
    pub license: Option<String>,
    /// Where to read more.
    pub homepage: Option<String>,
    /// The type.
    #[serde(rename = "type")]
    pub kind: SkillKind,
    /// The form it is written in.
    pub dialect: Dialect,
    /// Where it was found.
    pub scope: Scope,
    /// The definition file, as errors name it.
    pub file: String,
    /// The folder of the definition; `None` for code given directly and for bundled skills.
    pub folder: Option<PathBuf>,
    /// What it runs.
    pub body: Body,
    /// The script that runs in an embedded interpreter instead, where a `code_session` skill's program is one and nothing
    /// about it needs a process.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "embedded_as_summary")]
    pub embedded: Option<Arc<Script>>,
    /// What becomes of the output of a program or of bash.
    #[serde(skip_serializing_if = "OutputForm::is_text")]
    pub output: OutputForm,
    /// The parameters, in order.
    #[serde(serialize_with = "parameters_as_schema")]
    pub parameters: Vec<ParameterSpec>,
    /// Whether the definition has a `parameters` key. Where not, they are inferred from the script.
    pub parameters_declared: bool,
    /// Limits that the definition asks for.
    pub limits: LimitRequest,
    /// Permissions that the definition asks for.
    pub permissions: Permissions,
    /// Prompts that guide a model around the skill.
    pub prompt: PromptGuides,
    /// Session settings, for `code_session` and `conversation`.
    pub session: Option<SessionSettings>,
    /// How the value is shown to a person.
    pub output_format: Option<OutputFormat>,
    /// What to do when it fails.
    pub resilience: Resilience,
    /// Skills that it needs, by name.
    pub dependencies: BTreeMap<String, VersionReq>,
    /// Names that it provides, with versions.
    pub provides: BTreeMap<String, Version>,
    /// Free metadata: `tags`, `category`, `maturity` and whatever else stands there.
    pub metadata: Map<String, Value>,
    /// SHA-256 over the definition and every file it refers to, in hexadecimal.
    pub digest: String,
    /// Where its files are read from.
    #[serde(skip)]
    pub files: SkillFiles,
    /// What somebody who runs it should know: keys of the definition that this version does not apply.
    #[serde(skip)]
    pub remarks: Vec<Diagnostic>,
    /// Whether it is code given directly, without a definition.
    #[serde(skip)]
    pub typed: bool,
}

/// What a skill runs.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "executor", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Body {
    /// Code in an embedded interpreter, or bash.
    Inline {
        /// The script.
        #[serde(serialize_with = "script_as_summary")]
        script: Arc<Script>,
    },
    /// An external program.
    Command(CommandSpec),
    /// A tool of an MCP server.
    Mcp {
        /// The server's name in the configuration.
        server: String,
        /// The tool.
        tool: String,
        /// The tool's arguments, with `{parameter}` placeholders.
        mapping: Map<String, Value>,
    },
    /// Another agent.
    Delegate {
        /// The agent.
        agent: String,
        /// Hand over when the work takes longer than this.
        #[serde(serialize_with = "as_millis")]
        delegation_threshold: Option<Duration>,
    },
    /// A prompt template.
    Prompt {
        /// The template, with `{parameter}` placeholders.
        template: String,
        /// Scripts that stand beside it and can be run by name (`SKILL.md` folders), relative to the folder.
        scripts: Vec<String>,
    },
    /// A guided conversation.
    Conversation(Conversation),
    /// Steps, each a skill or tool with parameters.
    Workflow {
        /// The steps as they are written, in order.
        steps: Vec<Value>,
        /// Values for `{{context.name}}` placeholders.
        context: Map<String, Value>,
    },
}

/// How a value is shown to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputFormat {
    /// A string as it is, anything else as JSON.
    Text,
    /// The same; the string is Markdown.
    Markdown,
    /// As JSON, a string too.
    Json,
}

/// A conversation's settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Conversation {
    /// How it begins.
    pub initial_prompt: String,
    /// The most turns.
    pub max_turns: Option<u32>,
    /// How the context is summed up.
    pub context_summary_prompt: Option<String>,
    /// Questions to ask, in order.
    pub guided_questions: Vec<String>,
    /// The form of the closing summary, with `{name}` placeholders.
    pub summary_format: Option<String>,
    /// Whether the summary goes back to the main context.
    pub return_to_context: bool,
    /// Files to include.
    pub context_files: Option<ContextFiles>,
    /// The model to use.
    pub model: Option<String>,
    /// How many tokens of context to use.
    pub context_window: Option<u64>,
}

/// Which files a conversation includes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ContextFiles {
    /// Globs of files to take.
    pub patterns: Vec<String>,
    /// The most files.
    pub max_files: Option<u64>,
    /// The largest file, in KiB.
    pub max_file_size_kb: Option<u64>,
    /// Globs of files to leave out.
    pub exclude_patterns: Vec<String>,
}

/// Limits that a definition asks for; what it leaves out is the engine's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LimitRequest {
    /// The smallest of its time limits (`timeout`, `resilience.timeout`, `max_execution_time`).
    #[serde(serialize_with = "as_millis", rename = "time_ms")]
    pub time: Option<Duration>,
    /// Memory in MiB.
    pub max_memory_mb: Option<u64>,
    /// Share of one CPU, in percent.
    pub max_cpu_percent: Option<u64>,
    /// The largest file that may be written, in MiB.
    pub max_file_size_mb: Option<u64>,
}

/// `true`, `false`, or a list of names: hosts or programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Allow {
    /// All or nothing.
    All(bool),
    /// These.
    Only(Vec<String>),
}

/// Permissions that a definition asks for. `None` means that it does not say, and the default applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// Paths to read, as written.
    pub file_read: Option<Vec<String>>,
    /// Paths to write, as written.
    pub file_write: Option<Vec<String>>,
    /// Network hosts.
    pub network_access: Option<Allow>,
    /// Programs that the skill's program or script may start.
    pub process_spawn: Option<Allow>,
    /// Environment variables by name.
    pub environment: Option<Vec<String>>,
    /// Secrets by name.
    pub secrets: Option<Vec<String>>,
    /// Sessions of other owners, by name: those of the same owner are reached without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<String>>,
    /// `security.sandbox_enabled`: whether it asks to be confined even where it is trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<bool>,
}

/// Prompts that guide a model around a code skill, read from their files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PromptGuides {
    /// How to check what the user said.
    pub input_validation: Option<String>,
    /// How to turn it into parameters.
    pub argument_mapping: Option<String>,
    /// How to present the result.
    pub output_formatting: Option<String>,
}

/// Whether and where a session's state outlives it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persistence {
    /// It is gone with each call.
    None,
    /// It lives until the session ends.
    #[default]
    Memory,
    /// It survives a restart.
    Disk,
}

/// Settings of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SessionSettings {
    /// How long a session may live.
    #[serde(serialize_with = "as_millis", rename = "max_duration_ms")]
    pub max_duration: Option<Duration>,
    /// How long it may be idle.
    #[serde(serialize_with = "as_millis", rename = "session_timeout_ms")]
    pub idle_timeout: Option<Duration>,
    /// How many sessions of the skill may live at once.
    pub max_sessions: Option<u64>,
    /// Whether its state is dropped when it ends.
    pub cleanup_on_exit: Option<bool>,
    /// Where its state is kept.
    pub persistence: Persistence,
    /// Whether a program that is an interpreter stays a process of its own, where it could run embedded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// How a program that stays is asked: as the definition says, or as is known of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// What it is asked, with `{parameter}` placeholders; the only parameter where the definition says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// What to do when a skill fails.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Resilience {
    /// How many times to try, the first included.
    pub max_attempts: Option<u32>,
    /// `exponential`, `linear` or `fixed`.
    pub backoff_strategy: Option<String>,
    /// Kinds of failure to try again after.
    pub retry_on: Vec<String>,
    /// A command to run instead when all tries failed.
    pub fallback_command: Option<String>,
    /// Failures in a row that open the circuit.
    pub failure_threshold: Option<u32>,
    /// How long the circuit stays open.
    #[serde(serialize_with = "as_millis", rename = "recovery_timeout_ms")]
    pub recovery_timeout: Option<Duration>,
    /// How often to check health; `None` for never.
    #[serde(serialize_with = "as_millis", rename = "health_check_interval_ms")]
    pub health_check_interval: Option<Duration>,
}

impl Skill {
    /// The script, where the skill runs one.
    pub fn script(&self) -> Option<&Arc<Script>> {
        match &self.body {
            Body::Inline { script } => Some(script),
            _ => self.embedded.as_ref(),
        }
    }

    /// The language of its sessions, where it has any.
    pub fn session_language(&self) -> Option<Language> {
        let of_program = || self.session.as_ref()?.protocol.as_ref().map(|_| Language::Program);
        self.script().map(|script| script.language).or_else(of_program)
    }

    /// The name with its scope: `project:deploy`.
    pub fn qualified_name(&self) -> String {
        format!("{}:{}", self.scope, self.name)
    }

    /// What tells it from every other skill: the name with its scope, and the file that it is from, so that neither another
    /// project nor a file that calls itself so is taken for it. Code that is in no file is told by itself.
    pub fn identity(&self) -> String {
        let name = self.qualified_name();
        match (self.scope, &self.folder) {
            (Scope::Bundled, _) => name,
            (Scope::Direct, None) => format!("{name}@{}", self.digest),
            _ => format!("{name}@{}", self.file),
        }
    }

    /// Whose sessions it reaches: its own. Code that is given directly reaches the user's.
    pub fn owner(&self) -> String {
        match self.typed {
            true => "user".to_owned(),
            false => format!("skill:{}", self.identity()),
        }
    }
}

fn as_millis<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

fn script_as_summary<S: serde::Serializer>(script: &Arc<Script>, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::json!({"language": script.language, "file": script.file}).serialize(serializer)
}

fn embedded_as_summary<S: serde::Serializer>(script: &Option<Arc<Script>>, serializer: S) -> Result<S::Ok, S::Error> {
    script
        .as_ref()
        .map(|script| serde_json::json!({"language": script.language, "file": script.file}))
        .serialize(serializer)
}

fn parameters_as_schema<S: serde::Serializer>(parameters: &[ParameterSpec], serializer: S) -> Result<S::Ok, S::Error> {
    skills_core::Signature { description: None, parameters: parameters.to_vec() }.schema().serialize(serializer)
}
