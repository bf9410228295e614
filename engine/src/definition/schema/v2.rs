//! What a v2 file may hold. Times are in seconds.

use schemars::JsonSchema;
use serde_json::Value;
use std::collections::BTreeMap;

/// A skill, second schema: `type`, flat, times in seconds.
#[derive(JsonSchema)]
#[schemars(title = "Skill definition, v2")]
#[expect(dead_code, reason = "only its JSON Schema is used")]
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
    /// How the result is to be formatted: `markdown`, `json`, `text`.
    output_format: Option<String>,
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
#[expect(dead_code, reason = "only its JSON Schema is used")]
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

/// Where a skill belongs.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its JSON Schema is used")]
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

/// The template of a prompt, or prompts that guide a model.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum Prompt {
    /// A template with `{parameter}` placeholders, or a `file://` reference.
    Template(String),
    /// Prompts around a code skill.
    Guides(Guides),
}

/// Prompts that guide a model around a code skill: each a text or a `file://` reference.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
pub(super) struct Guides {
    /// How to check what the user said.
    input_validation: Option<String>,
    /// How to turn it into parameters.
    argument_mapping: Option<String>,
    /// How to present the result.
    output_formatting: Option<String>,
}

/// Parameters as a list, or by name.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum Parameters {
    /// In order, each with its name.
    List(Vec<Parameter>),
    /// By name.
    Map(BTreeMap<String, Parameter>),
}

/// A parameter.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
pub(super) struct Parameter {
    /// The name, in a list.
    name: Option<String>,
    /// The type; left out, anything is allowed.
    #[schemars(rename = "type")]
    kind: Option<ParameterType>,
    /// What it means.
    description: Option<String>,
    /// Whether it has to be given; it does not unless this says so.
    required: Option<bool>,
    /// The value where it is not given.
    default: Option<Value>,
    /// The values of an `enum`.
    #[schemars(length(min = 1))]
    values: Option<Vec<Value>>,
    /// The values allowed, as v1 and JSON Schema call them.
    #[schemars(rename = "enum", length(min = 1))]
    allowed: Option<Vec<Value>>,
    /// A regular expression, without look-around and backreferences, that a string has to match somewhere.
    pattern: Option<String>,
    /// The smallest number.
    minimum: Option<f64>,
    /// The largest number.
    maximum: Option<f64>,
    /// The fewest characters of a string.
    min_length: Option<u64>,
    /// The most characters of a string.
    max_length: Option<u64>,
    /// The fewest items of an array.
    min_items: Option<u64>,
    /// The most items of an array.
    max_items: Option<u64>,
    /// What an array holds: a type, or an object as for a parameter.
    items: Option<Items>,
    /// What an object holds, by name.
    properties: Option<BTreeMap<String, Parameter>>,
}

/// The types of parameters.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum ParameterType {
    String,
    Number,
    Integer,
    Boolean,
    Enum,
    Array,
    Object,
}

/// What an array holds.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum Items {
    /// A type.
    Type(ParameterType),
    /// An object as for a parameter.
    Schema(Box<Parameter>),
}

/// What a skill runs.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase")]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum Executor {
    /// Code in an embedded interpreter, or bash.
    Inline {
        /// `rhai`, `python`, `javascript`, `typescript` or `bash`; left out, the file's extension says it.
        language: Option<String>,
        /// A `file://` reference, or the code itself.
        code: String,
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

/// How a conversation goes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
pub(super) struct Conversation {
    /// How it begins: a text or a `file://` reference.
    initial_prompt: Option<String>,
    /// The most turns.
    #[schemars(range(min = 1, max = 1000))]
    max_turns: Option<u32>,
    /// How the context is summed up: a text or a `file://` reference.
    context_summary_prompt: Option<String>,
    /// Questions to ask, in order.
    guided_questions: Option<Vec<String>>,
}

/// How a conversation ends.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
pub(super) struct Completion {
    /// The form of the summary, with `{name}` placeholders.
    summary_format: Option<String>,
    /// Whether the summary goes back to the main context.
    return_to_context: Option<bool>,
}

/// Files that a conversation includes.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum ContextFilesOrPatterns {
    /// With their bounds.
    Files(ContextFiles),
    /// Patterns alone: an older spelling.
    Patterns(Vec<String>),
}

/// Files that a conversation includes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct ContextFiles {
    /// Globs of files to take.
    patterns: Option<Vec<String>>,
    /// The most files.
    #[schemars(range(min = 1, max = 10_000))]
    max_files: Option<u32>,
    /// The largest file, in KiB.
    #[schemars(range(min = 1, max = 1_048_576))]
    max_file_size_kb: Option<u64>,
    /// Globs of files to leave out.
    exclude_patterns: Option<Vec<String>>,
}

/// Session settings.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
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
}

/// Whether and where state is kept.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
pub(super) enum Persistence {
    /// Whether it survives a restart.
    Saved(bool),
    /// Where it is kept.
    Place(Place),
}

/// Where state is kept.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its JSON Schema is used")]
pub(super) enum Place {
    /// Nowhere: it is gone with each call.
    None,
    /// Until the session ends.
    Memory,
    /// Over a restart.
    Disk,
}

/// Limits of a run.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct Limits {
    /// Memory in MiB.
    #[schemars(range(min = 1, max = 1_048_576))]
    max_memory_mb: Option<u64>,
    /// Share of one CPU, in percent.
    #[schemars(range(min = 1, max = 100))]
    max_cpu_percent: Option<u64>,
    /// Seconds that a run may take.
    #[schemars(range(min = 0.001, max = 86_400))]
    max_execution_time: Option<f64>,
    /// The largest file that may be written, in MiB.
    #[schemars(range(min = 1, max = 1_048_576))]
    max_file_size_mb: Option<u64>,
}

/// What a skill may reach, in short.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct Sandbox {
    /// Whether it may use the network.
    allow_network: Option<bool>,
    /// Whether it may write below `allowed_paths`.
    allow_file_write: Option<bool>,
    /// Paths that it may read.
    allowed_paths: Option<Vec<String>>,
}

/// What a skill may reach, and its limits.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct Security {
    /// A skill cannot turn the sandbox off.
    sandbox_enabled: Option<bool>,
    /// What it may reach.
    permissions: Option<Permissions>,
    /// The same, as the seed's configuration calls it.
    default_permissions: Option<Permissions>,
    /// Limits of a run.
    resource_limits: Option<Limits>,
}

/// What a skill may reach.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct Permissions {
    /// Paths to read.
    file_read: Option<Vec<String>>,
    /// Paths to write.
    file_write: Option<Vec<String>>,
    /// Network: all, none, or these hosts.
    network_access: Option<Allow>,
    /// Programs: all, none, or these.
    process_spawn: Option<Allow>,
    /// Environment variables by name.
    environment: Option<Vec<String>>,
    /// Secrets by name.
    secrets: Option<Vec<String>>,
}

/// All, none, or a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum Allow {
    /// All or none.
    All(bool),
    /// These.
    Only(Vec<String>),
}

/// What to do when a skill fails.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct Resilience {
    /// Attempts after the first.
    #[schemars(range(min = 0, max = 1000))]
    retry_attempts: Option<u32>,
    /// Seconds that a run may take.
    #[schemars(range(min = 0.001, max = 86_400))]
    timeout: Option<f64>,
    /// A command to run when all attempts failed.
    fallback_command: Option<String>,
    /// When and how to try again.
    retry_config: Option<Retry>,
    /// When to stop trying for a while.
    circuit_breaker: Option<CircuitBreaker>,
    /// Whether and how often to check health.
    health_check: Option<HealthCheck>,
}

/// When and how to try again.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct Retry {
    /// Attempts, the first included.
    #[schemars(range(min = 1, max = 1000))]
    max_attempts: Option<u32>,
    /// How the pause between attempts grows.
    backoff_strategy: Option<Backoff>,
    /// Kinds of failure to try again after.
    retry_on: Option<Vec<String>>,
}

/// How the pause between attempts grows.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its JSON Schema is used")]
enum Backoff {
    Exponential,
    Linear,
    Fixed,
}

/// When to stop trying for a while.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct CircuitBreaker {
    /// Failures in a row that open the circuit.
    #[schemars(range(min = 1, max = 1000))]
    failure_threshold: Option<u32>,
    /// Seconds that it stays open.
    #[schemars(range(min = 0.001, max = 86_400))]
    recovery_timeout: Option<f64>,
}

/// Whether and how often to check health.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its JSON Schema is used")]
struct HealthCheck {
    /// Whether to.
    enabled: Option<bool>,
    /// Seconds between two checks.
    #[schemars(range(min = 0.001, max = 86_400))]
    interval: Option<f64>,
}
