//! How a program that stays is asked: what `session_config` says of it, and what is known of the program where it says nothing.

use crate::definition::build::Context;
use crate::definition::codes;
use crate::definition::fields::Fields;
use crate::definition::node::Node;
use crate::{Body, CommandSpec, Pattern, Persistence, Protocol, SessionSettings, SkillKind, Stdin};
use skills_core::ParameterSpec;
use skills_core::template::{self, Piece};
use skills_executors::{known, reads_code};

/// The words of `protocol`.
#[derive(Clone, Copy)]
enum Kind {
    Lines,
    JsonLines,
    Prompt,
    Marker,
}

const KINDS: &[(&str, Kind)] =
    &[("lines", Kind::Lines), ("json-lines", Kind::JsonLines), ("prompt", Kind::Prompt), ("marker", Kind::Marker)];

/// What to write where nothing says how a program is asked.
const HELP: &str = "write `\"protocol\"` in its session settings: \"lines\", \"json-lines\", {\"prompt\": \"PATTERN\"} or {\"send\": \"{input}…{marker}…\"}";

/// The `protocol` of session settings: a word, or an object of which one key may say the word.
pub(crate) fn read(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Protocol> {
    let node = fields.node("protocol")?;
    if node.as_str().is_some() {
        return match fields.choice("protocol", KINDS, &mut context.sink)? {
            Kind::Lines => Some(Protocol::Lines { ready: None }),
            Kind::JsonLines => Some(Protocol::JsonLines { ready: None }),
            Kind::Prompt => missing("prompt", "{\"prompt\": \"PATTERN\"}", node, context),
            Kind::Marker => missing("send", "{\"send\": \"{input}\\nprint('{marker}')\\n\"}", node, context),
        };
    }
    let mut inner = fields.object("protocol", &mut context.sink)?;
    let said = match inner.node("type") {
        Some(_) => Some(inner.choice("type", KINDS, &mut context.sink)?),
        None => None,
    };
    let kind = said
        .or_else(|| inner.node("prompt").map(|_| Kind::Prompt))
        .or_else(|| inner.node("send").map(|_| Kind::Marker));
    let Some(kind) = kind else {
        let help = "write `\"type\"` with \"lines\", \"json-lines\", \"prompt\" or \"marker\"";
        inner.missing(codes::MISSING_KEY, "type", help, &mut context.sink);
        inner.accept_all();
        return None;
    };
    // What belongs to another kind is unknown here.
    let mut inner = Fields::new(node, "protocol");
    inner.node("type");
    let protocol = match kind {
        Kind::Lines => Some(Protocol::Lines { ready: pattern(&mut inner, "ready", context) }),
        Kind::JsonLines => Some(Protocol::JsonLines { ready: pattern(&mut inner, "ready", context) }),
        Kind::Prompt if inner.node("prompt").is_none() => missing("prompt", "{\"prompt\": \"PATTERN\"}", node, context),
        Kind::Prompt => {
            let echo = inner.bool("echo", &mut context.sink).unwrap_or(false);
            pattern(&mut inner, "prompt", context).map(|prompt| Protocol::Prompt { prompt, echo })
        }
        Kind::Marker if inner.node("send").is_none() => {
            missing("send", "{\"send\": \"{input}\\nprint('{marker}')\\n\"}", node, context)
        }
        Kind::Marker => send(&mut inner, context),
    };
    inner.finish(&mut context.sink);
    protocol
}

fn missing(key: &str, example: &str, node: &Node, context: &mut Context<'_>) -> Option<Protocol> {
    let message = format!("`protocol` has no `{key}`");
    context.sink.error(codes::MISSING_KEY, &node.span, message, format!("write `\"protocol\": {example}`"));
    None
}

fn pattern(fields: &mut Fields<'_>, key: &'static str, context: &mut Context<'_>) -> Option<Pattern> {
    let text = fields.filled(key, &mut context.sink)?;
    match Pattern::new(text.text) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let message = format!("`{key}` is a pattern that cannot be used: {why}");
            let help = "the syntax is that of Rust's regex crate; it stands for the end of what the program writes";
            context.sink.error(codes::BAD_PATTERN, text.span, message, help);
            None
        }
    }
}

fn send(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Protocol> {
    let text = fields.filled("send", &mut context.sink)?;
    match Protocol::marker_problem(text.text) {
        None => Some(Protocol::Marker { send: text.text.to_owned() }),
        Some(problem) => {
            let help = "such as \"{input}\\nprint('{marker}')\\n\" for a program that reads Python";
            context.sink.error(codes::PROTOCOL, text.span, format!("`send` {problem}"), help);
            None
        }
    }
}

/// Gives a session of a program its protocol, and says what of the definition does not go with one.
pub(crate) fn settle(
    root: &Node,
    body: Option<&mut Body>,
    session: Option<&mut SessionSettings>,
    (parameters, embedded): (&[ParameterSpec], bool),
    context: &mut Context<'_>,
) {
    let Some(session) = session else { return };
    let place = Place { root };
    let spec = match body {
        Some(Body::Command(spec)) if context.kind == SkillKind::CodeSession && !embedded => spec,
        _ => {
            for key in ["protocol", "request"] {
                if let Some(node) = place.setting(key) {
                    let message =
                        format!("`{key}` does nothing here: it is for a program that stays a process of its own");
                    context.sink.warning(codes::NOT_HERE, &node.span, message, "remove it");
                }
            }
            session.protocol = None;
            return;
        }
    };
    let declared = session.protocol.is_some();
    let several = context.declared.len() > 1 && session.request.is_none();
    if !declared && !spec.shell && spec.stdin == Stdin::None && !several {
        from_what_is_known(spec, session);
    }
    let Some(protocol) = &session.protocol else {
        // What is wrong with it has been reported.
        if let Some(node) = place.program().filter(|_| place.setting("protocol").is_none()) {
            let message = format!("nothing says how `{}` is asked in a session, so it has none", spec.command);
            context.sink.warning(codes::NO_PROTOCOL, &node.span, message, HELP);
        }
        return;
    };
    if several && !protocol.takes_parameters() {
        let node = place.setting("protocol").unwrap_or(root);
        let message = format!("the request is one text, and there are {} parameters", context.declared.len());
        let help = "write `\"request\": \"… {parameter} …\"` in the session settings, or the protocol \"json-lines\"";
        context.sink.error(codes::PROTOCOL, &node.span, message, help);
    }
    if let (Some(request), Some(node)) = (&session.request, place.setting("request"))
        && reads_code(&spec.command)
    {
        refuse_free_text(&spec.command, request, node, parameters, context);
    }
    if let (Some(request), Some(node)) = (&session.request, place.setting("request"))
        && context.declared.is_empty()
        && let Some(name) = template::names(request).find(|name| *name != "session_id")
    {
        let message = format!("`{{{name}}}` stands for nothing: the definition declares no parameters");
        context.sink.error(codes::PROTOCOL, &node.span, message, "declare it in `parameters`");
    }
    let mut unused = |key: &str, node: Option<&Node>, why: &str| {
        if let Some(node) = node {
            let message = format!("`{key}` does nothing here: {why}");
            context.sink.warning(codes::NOT_HERE, &node.span, message, "remove it");
        }
    };
    if protocol.takes_parameters() {
        unused("request", place.setting("request"), "the request is all of the parameters");
    }
    if spec.stdin != Stdin::None {
        unused("stdin", place.of_program("stdin"), "a program that stays reads its requests");
    }
    if session.persistence == Persistence::Disk {
        unused("state_persistence", place.setting("state_persistence"), "what a program holds cannot be saved");
        session.persistence = Persistence::Memory;
    }
    arguments_of_requests(&place, context);
}

fn from_what_is_known(spec: &mut CommandSpec, session: &mut SessionSettings) {
    let Some(known) = known(&spec.command, &spec.args) else { return };
    session.protocol = Some(known.protocol);
    if spec.args.is_empty() {
        spec.args = known.arguments.iter().map(|own| (*own).to_owned()).collect();
    }
}

/// A value that is part of a request which the program reads as code must not be more than a value.
fn refuse_free_text(
    program: &str,
    request: &str,
    node: &Node,
    parameters: &[ParameterSpec],
    context: &mut Context<'_>,
) {
    let find = |name: &str| parameters.iter().find(|parameter| parameter.name == name);
    let pieces: Vec<_> =
        template::pieces(request, |name| find(name).is_some()).filter(|piece| *piece != Piece::Text("")).collect();
    if pieces.len() < 2 {
        return;
    }
    let names = pieces.iter().filter_map(|piece| if let Piece::Value(name) = piece { Some(*name) } else { None });
    for name in names.filter(|name| find(name).is_some_and(|parameter| !is_bounded(parameter))) {
        let message = format!("`{{{name}}}` is part of what `{program}` reads as code, and may be any text");
        let help = "give the parameter a `pattern` from `^` to `$`, the values it may have, or a number's type; or let it be the whole request";
        context.sink.error(codes::UNSAFE_PLACEHOLDER, &node.span, message, help);
    }
}

/// Whether the definition says what a value may be, from its beginning to its end.
fn is_bounded(parameter: &ParameterSpec) -> bool {
    let schema = &parameter.schema;
    let pattern = schema.get("pattern").and_then(serde_json::Value::as_str);
    let kind = schema.get("type").and_then(serde_json::Value::as_str);
    schema.get("enum").is_some()
        || pattern.is_some_and(|pattern| pattern.starts_with('^') && pattern.ends_with('$'))
        || matches!(kind, Some("integer" | "number" | "boolean"))
}

/// An argument is filled in when the program starts, and a request comes later.
fn arguments_of_requests(place: &Place<'_>, context: &mut Context<'_>) {
    for item in place.of_program("args").map(Node::items).unwrap_or_default() {
        let text = item.as_str().unwrap_or_default();
        if let Some(name) = template::names(text).find(|name| context.declared.iter().any(|own| own == name)) {
            let message = format!("`{{{name}}}` is empty in a session: the program starts before its first request");
            let help = "put it into the `request`; `{session_id}` is known when the program starts";
            context.sink.warning(codes::PROTOCOL, &item.span, message, help);
        }
    }
}

/// Where things stand in a v2 tree.
struct Place<'a> {
    root: &'a Node,
}

impl<'a> Place<'a> {
    fn setting(&self, key: &str) -> Option<&'a Node> {
        self.root.get("session_config")?.get(key).filter(|node| !node.is_null())
    }

    fn of_program(&self, key: &str) -> Option<&'a Node> {
        let executor = self.root.get("executor").filter(|node| node.is_object());
        executor.unwrap_or(self.root).get(key).filter(|node| !node.is_null())
    }

    fn program(&self) -> Option<&'a Node> {
        self.of_program("command")
    }
}
