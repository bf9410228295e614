//! What both schemas may hold: prompts, parameters, conversations.

#![expect(dead_code, reason = "only the JSON Schemas of these structs are used")]

use schemars::JsonSchema;
use serde_json::Value;
use std::collections::BTreeMap;

/// The template of a prompt, or prompts that guide a model.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Prompt {
    /// A template with `{parameter}` placeholders, or a `file://` reference.
    Template(String),
    /// Prompts around a code skill.
    Guides(Guides),
}

/// Prompts that guide a model around a code skill: each a text or a `file://` reference.
#[derive(JsonSchema)]
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
pub(super) enum Parameters {
    /// In order, each with its name.
    List(Vec<Parameter>),
    /// By name.
    Map(BTreeMap<String, Parameter>),
}

/// A parameter.
#[derive(JsonSchema)]
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
pub(super) enum ParameterType {
    String,
    Number,
    Integer,
    Boolean,
    Enum,
    Array,
    Object,
    Any,
}

/// What an array holds.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Items {
    /// A type.
    Type(ParameterType),
    /// An object as for a parameter.
    Schema(Box<Parameter>),
}

/// How a conversation goes.
#[derive(JsonSchema)]
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
pub(super) struct Completion {
    /// The form of the summary, with `{name}` placeholders.
    summary_format: Option<String>,
    /// Whether the summary goes back to the main context.
    return_to_context: Option<bool>,
}

/// Whether and where state is kept.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Persistence {
    /// Whether it survives a restart.
    Saved(bool),
    /// Where it is kept.
    Place(Place),
}

/// Where state is kept.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Place {
    /// Nowhere: it is gone with each call.
    None,
    /// Until the session ends.
    Memory,
    /// Over a restart.
    Disk,
}

/// How a program that stays is asked, and where its answer ends.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Protocol {
    /// By its name alone, where it needs no more.
    Named(LinesOrJson),
    /// With what it needs.
    Settings(ProtocolSettings),
}

/// The protocols that need no more than their name.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) enum LinesOrJson {
    /// One line in, one line out.
    Lines,
    /// A JSON value a line, both ways.
    JsonLines,
}

/// A protocol with what it needs.
#[derive(JsonSchema)]
pub(super) struct ProtocolSettings {
    /// Its name; `prompt` and `send` say it as well.
    #[schemars(rename = "type")]
    kind: Option<ProtocolType>,
    /// For lines: a pattern of the line with which the program says that it is ready.
    #[schemars(length(max = 1000))]
    ready: Option<String>,
    /// A pattern of the program's prompt, which ends an answer.
    #[schemars(length(max = 1000))]
    prompt: Option<String>,
    /// With a prompt: whether the program writes each line back before it answers.
    echo: Option<bool>,
    /// What is sent for a request: `{input}`, `{input_json}` or `{input_shell}` is the request, and `{marker}` what the program is to
    /// print behind its answer.
    send: Option<String>,
}

/// The protocols.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) enum ProtocolType {
    /// One line in, one line out.
    Lines,
    /// A JSON value a line, both ways: the parameters in, the value out.
    JsonLines,
    /// Each line is answered with all that comes before the next prompt.
    Prompt,
    /// The program is made to print a marker behind its answer.
    Marker,
}

/// Files that a conversation includes.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum ContextFilesOrPatterns {
    /// With their bounds.
    Files(ContextFiles),
    /// Patterns alone: an older spelling.
    Patterns(Vec<String>),
}

/// Files that a conversation includes.
#[derive(JsonSchema)]
pub(super) struct ContextFiles {
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

/// What a program reads from its standard input.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Stdin {
    /// Nothing.
    None,
    /// The parameters, as one JSON object.
    Json,
}

/// What becomes of the output of a program or of bash.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Output {
    /// A string.
    Text,
    /// The value that it is as JSON.
    Json,
    /// An array of its lines.
    Lines,
}
