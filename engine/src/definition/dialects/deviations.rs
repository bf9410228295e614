//! v2 files with values of another form: parameters without a type, other placeholders, a whole line for a command.

use super::parameters::normalise;
use super::placeholder::{self, Forms};
use super::shell::{self, CommandLine};
use super::{danger, draft};
use crate::definition::codes;
use crate::definition::node::{Data, Member, Node, Span};
use crate::definition::sink::Sink;
use std::collections::HashSet;

/// The file with its deviations set right.
pub(super) fn to_v2(root: &Node, sink: &mut Sink) -> Node {
    let mut out = root.clone();
    parameter_types(&mut out, sink);
    placeholders(&mut out, sink);
    let declared = declared(&out);
    command_line(&mut out, &declared, sink);
    if let Some(mut member) = out.member("executor").cloned() {
        executor(&mut member.value, root, sink);
        out.set("executor", &member.key_span, member.value);
    }
    out
}

/// The same for the program of an `executor`, in v1 and v2.
pub(crate) fn executor(node: &mut Node, root: &Node, sink: &mut Sink) {
    if node.get("type").and_then(Node::as_str) == Some("command") {
        command_line(node, &declared(root), sink);
    }
}

fn deviates(sink: &mut Sink, at: &Span, message: String, help: String) {
    let help = format!("{help}; `skills upgrade {}` does", sink.file());
    sink.warning(codes::DEVIATION, at, message, help);
}

fn parameter_types(out: &mut Node, sink: &mut Sink) {
    let Some(mut member) = out.member("parameters").cloned() else { return };
    match &mut member.value.data {
        Data::Array(items) => {
            for item in items.iter_mut().filter(|item| item.is_object()) {
                let name = item.get("name").and_then(Node::as_str).unwrap_or_default().to_owned();
                *item = normalise(item.clone(), &name, sink);
            }
        }
        Data::Object(members) => {
            for member in members.iter_mut().filter(|member| member.value.is_object()) {
                member.value = normalise(member.value.clone(), &member.key, sink);
            }
        }
        _ => return,
    }
    out.set("parameters", &member.key_span, member.value);
}

/// `{}` and `{{name}}` in the texts that take placeholders.
fn placeholders(out: &mut Node, sink: &mut Sink) {
    let declared = declared(out);
    for argument in out.get("args").map(Node::items).unwrap_or_default() {
        warn_doubled(argument, &declared, sink);
    }
    for key in ["prompt_template", "prompt", "instructions", "command"] {
        let Some(member) = out.member(key).cloned() else { continue };
        let Some(text) = member.value.as_str().filter(|text| !text.starts_with("file://")) else { continue };
        warn_doubled(&member.value, &declared, sink);
        // Beside parameters that have names, `{}` is part of an example or of code.
        if key != "command"
            && (declared.is_empty() || declared.contains(placeholder::UNNAMED))
            && let Some(text) = unnamed(out, &member.value, text, sink)
        {
            out.set(key, &member.key_span, Node::string(text, &member.value.span));
        }
    }
}

/// The names of the parameters that the file declares.
fn declared(out: &Node) -> HashSet<String> {
    match out.get("parameters") {
        Some(list) if list.is_array() => {
            list.items().iter().filter_map(|item| item.get("name")?.as_str().map(str::to_owned)).collect()
        }
        Some(map) => map.members().iter().map(|member| member.key.clone()).collect(),
        None => HashSet::new(),
    }
}

/// `{{name}}` of a parameter: the form of other dialects, and in v2 plain text.
fn warn_doubled(node: &Node, declared: &HashSet<String>, sink: &mut Sink) {
    let known = |name: &str| declared.contains(name);
    let forms = Forms { single: false, double: true, dollar: false };
    for found in placeholder::rewrite(node.as_str().unwrap_or_default(), forms, &known).found {
        if known(&found.name) {
            // What is only counted needs no place.
            let at = if sink.is_full() { node.span.clone() } else { draft::locate(sink, node, &found.written) };
            let message =
                format!("in v2 `{}` is plain text with braces, not the parameter `{}`", found.written, found.name);
            sink.warning(codes::DEVIATION, &at, message, format!("write `{{{}}}` for its value", found.name));
        }
    }
}

/// `{}` as a parameter with a name; `None` where there is none.
fn unnamed(out: &mut Node, node: &Node, text: &str, sink: &mut Sink) -> Option<String> {
    let forms = Forms { single: true, double: false, dollar: false };
    let rewritten = placeholder::rewrite(text, forms, &|_| true);
    if !rewritten.found.iter().any(|found| found.written == "{}") {
        return None;
    }
    let at = draft::locate(sink, node, "{}");
    let name = placeholder::UNNAMED;
    deviates(
        sink,
        &at,
        format!("`{{}}` names no parameter; it is taken as `{{{name}}}`"),
        format!("write `{{{name}}}`"),
    );
    declare(out, &rewritten.found, &at);
    Some(rewritten.text)
}

/// Declares the parameters of a template that has a placeholder without a name, unless they are there.
fn declare(out: &mut Node, found: &[placeholder::Found], at: &Span) {
    let mut member =
        out.member("parameters").cloned().unwrap_or_else(|| Member::new("parameters", at, Node::array(Vec::new(), at)));
    let mut known = declared(out);
    for found in found.iter().filter(|found| known.insert(found.name.clone())) {
        let parameter = Node::object(at)
            .with("name", Node::string(&found.name, at))
            .with("type", Node::string("string", at))
            .with("required", Node::bool(true, at));
        match &mut member.value.data {
            Data::Array(items) => items.push(parameter),
            Data::Object(members) => {
                let mut parameter = parameter;
                parameter.take("name");
                members.push(Member::new(&found.name, at, parameter));
            }
            _ => {}
        }
    }
    out.set("parameters", &member.key_span, member.value);
}

/// `"command": "ls -la"` is a program and its arguments, or source for a shell.
fn command_line(out: &mut Node, declared: &HashSet<String>, sink: &mut Sink) {
    let Some(member) = out.member("command").filter(|_| !out.has("shell")).cloned() else { return };
    let (node, key_span) = (member.value, member.key_span);
    let Some(text) = node.as_str().filter(|text| text.trim().contains(|c: char| !is_plain(c))).map(str::to_owned)
    else {
        return;
    };
    // A file without parameters takes any.
    let is_parameter = |name: &str| declared.is_empty() || declared.contains(name);
    let given: Vec<Node> = out.get("args").map(Node::items).unwrap_or_default().to_vec();
    if out.get("args").is_some_and(|args| !args.is_array()) {
        return;
    }
    if !given.is_empty() {
        let (program, own) = shell::program(&text, &is_parameter);
        if !own.is_empty() {
            split(out, &program, &own, given, &node, sink);
        }
        return;
    }
    match shell::analyse(&text, &is_parameter) {
        CommandLine::Words(words) => {
            if let Some((program, arguments)) = words.split_first().filter(|(_, arguments)| !arguments.is_empty()) {
                split(out, program, arguments, given, &node, sink);
            }
        }
        CommandLine::Shell(operator) => {
            draft::warn_shell(sink, &node, &operator);
            out.take("args");
            out.set("command", &key_span, Node::string(text.trim(), &node.span));
            out.set("shell", &key_span, Node::bool(true, &node.span));
        }
        CommandLine::Broken(why) => draft::broken(sink, &node, why),
    }
    for danger in danger::of_line(&text) {
        draft::warn_danger(sink, &danger, &node);
    }
}

/// Sets a program and its arguments, those of the line before those that stand apart.
fn split(out: &mut Node, program: &str, own: &[String], given: Vec<Node>, node: &Node, sink: &mut Sink) {
    let items: Vec<Node> = own.iter().map(|own| Node::string(own, &node.span)).chain(given).collect();
    let args = Node::array(items, &node.span);
    sink.warning(
        codes::COMMAND_SPLIT,
        &node.span,
        "`command` is a whole line; it is taken as a program and its arguments",
        format!("write \"command\": \"{program}\", \"args\": {}", args.to_value()),
    );
    out.set("command", &node.span, Node::string(program, &node.span));
    out.set("args", &node.span, args);
}

/// Whether a character is one that the name or path of a program has.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "._-/+{}@:\\".contains(c)
}
