//! Executors: code, a program, a tool of an MCP server, another agent, or a chain of steps.

use crate::definition::build::Context;
use crate::definition::fields::{Fields, Text};
use crate::definition::node::Node;
use crate::definition::reference::Resolved;
use crate::definition::{codes, command, limits, suggest};
use crate::{Body, LimitRequest};
use serde_json::Map;
use skills_core::{Language, Script};
use std::sync::Arc;

#[derive(Clone, Copy)]
enum Kind {
    Inline,
    Command,
    Mcp,
    Delegate,
    Workflow,
}

const KINDS: &[(&str, Kind)] = &[
    ("inline", Kind::Inline),
    ("command", Kind::Command),
    ("mcp", Kind::Mcp),
    ("delegate", Kind::Delegate),
    ("workflow", Kind::Workflow),
];

/// Types of executors that the design names, and that this version does not have.
const LATER: &[&str] = &["http", "docker"];

/// An `executor` object. Its timeout joins the limits.
pub(crate) fn nested(executor: &mut Fields<'_>, limits: &mut LimitRequest, context: &mut Context<'_>) -> Option<Body> {
    let timeout = context.seconds(executor, "timeout", &limits::TIMEOUT, limits::EXECUTOR);
    limits.time = [limits.time, timeout].into_iter().flatten().min();
    if executor.node("type").is_none() {
        let help = format!("write `\"type\"` with one of {}", suggest::list(KINDS.iter().map(|(word, _)| *word)));
        executor.missing(codes::MISSING_KEY, "type", &help, &mut context.sink);
    }
    if let Some(word) = executor.node("type").and_then(Node::as_str).filter(|word| LATER.contains(word)) {
        let message = format!("an executor of type `{word}` is not in this version");
        let help = format!("use one of {}", suggest::list(KINDS.iter().map(|(word, _)| *word)));
        context.sink.error(codes::UNKNOWN_VALUE, &executor.place_of("type"), message, help);
        executor.accept_all();
        return None;
    }
    let kind = executor.choice("type", KINDS, &mut context.sink);
    let Some(kind) = kind else {
        // Which keys belong here depends on the type.
        executor.accept_all();
        return None;
    };
    match kind {
        Kind::Inline => inline(executor, context),
        Kind::Command => command::build(executor, context).map(Body::Command),
        Kind::Mcp => mcp(executor, context),
        Kind::Delegate => delegate(executor, context),
        Kind::Workflow => workflow(executor, context),
    }
}

/// Code in one of the languages: `code`, and `language` where its file does not say.
pub(crate) fn inline(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Body> {
    let said = language(fields, context);
    if fields.node("code").is_none() {
        let help = "write `\"code\": \"file://./scripts/NAME.py\"`, or the code itself";
        fields.missing(codes::MISSING_KEY, "code", help, &mut context.sink);
        return None;
    }
    let text = fields.filled("code", &mut context.sink)?;
    let resolved = context.references.resolve(text, &mut context.sink)?;
    // An unknown language has been reported.
    let said = said.ok()?;
    let language = check_language(fields, text, said, &resolved, context)?;
    match (language, fields.member("output")) {
        (Language::Bash, _) => context.output = command::output(fields, context),
        (_, Some(member)) => {
            let message = format!("`output` does nothing here: the value of {language} code is that of its `run`");
            context.sink.warning(codes::NOT_HERE, &member.key_span, message, "remove it");
        }
        _ => {}
    }
    let file = resolved.file.map_or_else(|| context.file.to_owned(), |file| file.shown);
    Some(Body::Inline { script: Arc::new(Script { language, file, source: resolved.text }) })
}

/// The language that is said, if any; `Err` where it is not known.
fn language(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Result<Option<Language>, ()> {
    if fields.node("language").is_none() {
        return Ok(None);
    }
    let text = fields.text("language", &mut context.sink).ok_or(())?;
    if let Some(language) = Language::from_name(text.text) {
        return Ok(Some(language));
    }
    let message = format!("the language `{}` is not known", text.text);
    let known = Language::ALL.map(Language::as_str);
    let help = match suggest::nearest(text.text, known) {
        Some(near) => format!("did you mean `{near}`? known are {}", suggest::list(known)),
        None => format!("known are {}; anything else runs as a `command`", suggest::list(known)),
    };
    context.sink.error(codes::UNKNOWN_LANGUAGE, text.span, message, help);
    Err(())
}

fn check_language(
    fields: &Fields<'_>,
    code: Text<'_>,
    said: Option<Language>,
    resolved: &Resolved,
    context: &mut Context<'_>,
) -> Option<Language> {
    let of_file = resolved.file.as_ref().and_then(|file| Language::from_extension(&file.extension));
    match (said, of_file) {
        (Some(said), Some(of_file)) if said != of_file => {
            let message = format!("the language is {said}, but the file is a {of_file} one by its name");
            let help =
                format!("write `\"language\": \"{of_file}\"`, or give the file the extension `.{}`", said.extension());
            context.sink.warning(codes::LANGUAGE_MISMATCH, code.span, message, help);
        }
        (None, None) => {
            let help =
                format!("write `\"language\"` with one of {}", suggest::list(Language::ALL.map(Language::as_str)));
            fields.missing(codes::NO_LANGUAGE, "language", &help, &mut context.sink);
        }
        _ => {}
    }
    if resolved.file.is_none() && looks_like_path(code.text) {
        let plain = code.text.trim().trim_start_matches("./");
        let message = format!("the code `{}` looks like the path of a file, but is run as code", code.text.trim());
        context.sink.warning(codes::CODE_IS_A_PATH, code.span, message, format!("write \"file://./{plain}\""));
    }
    said.or(of_file)
}

/// One word that ends like a script's name.
fn looks_like_path(code: &str) -> bool {
    let code = code.trim();
    let extension = code.rsplit_once('.').map(|(_, extension)| extension);
    let path_like = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    code.chars().all(path_like) && extension.is_some_and(|extension| Language::from_extension(extension).is_some())
}

fn mcp(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Body> {
    let server = needed(fields, "server", "the server's name in the configuration", context);
    let tool = needed(fields, "tool", "the name of the server's tool", context);
    let mut mapping = Map::new();
    if let Some(object) = fields.object("mapping", &mut context.sink) {
        for member in object.members() {
            context.check_placeholders(member.value.as_str().unwrap_or_default(), &member.value.span);
            mapping.insert(member.key.clone(), member.value.to_value());
        }
    }
    Some(Body::Mcp { server: server?, tool: tool?, mapping })
}

fn delegate(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Body> {
    let agent = needed(fields, "agent", "the agent's name", context);
    let delegation_threshold = context.seconds(fields, "delegation_threshold", &limits::TIMEOUT, limits::EXECUTOR);
    Some(Body::Delegate { agent: agent?, delegation_threshold })
}

fn workflow(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Body> {
    let values = match fields.object("context", &mut context.sink) {
        Some(object) => object.members().iter().map(|m| (m.key.clone(), m.value.to_value())).collect(),
        None => Map::new(),
    };
    let Some(node) = fields.node("steps") else {
        let help = "write `[{\"name\": …, \"tool\": …, \"parameters\": {…}}]`";
        fields.missing(codes::MISSING_KEY, "steps", help, &mut context.sink);
        return None;
    };
    if !node.is_array() {
        fields.wrong_type("steps", node, "an array", "write `[{\"tool\": …}]`", &mut context.sink);
        return None;
    }
    if node.items().is_empty() {
        context.sink.error(codes::EMPTY, &node.span, "the workflow has no steps", "write at least one");
    }
    for (index, step) in node.items().iter().enumerate() {
        let named = |key: &str| step.get(key).is_some_and(|node| node.as_str().is_some());
        if !(named("tool") || named("skill")) {
            let message = format!("step {} does not say what it runs", index + 1);
            let start = step.span.start;
            context.sink.error(codes::MISSING_KEY, &(start..start + 1), message, "write `\"tool\": \"NAME\"`");
        }
    }
    Some(Body::Workflow { steps: node.items().iter().map(|step| step.to_value()).collect(), context: values })
}

fn needed(fields: &mut Fields<'_>, key: &'static str, what: &str, context: &mut Context<'_>) -> Option<String> {
    if fields.node(key).is_none() {
        fields.missing(codes::MISSING_KEY, key, &format!("write `\"{key}\"`: {what}"), &mut context.sink);
    }
    fields.filled(key, &mut context.sink).map(|text| text.text.to_owned())
}
