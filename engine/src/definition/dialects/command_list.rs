//! Instructions for a model with a list of shell commands that it may use.
//!
//! It becomes a prompt: the instructions, then the commands by name. The commands are not run by the skill itself; who
//! reads the prompt runs them, with the permissions that they have.

use super::danger;
use super::draft::{self, Draft};
use super::parameters::normalise;
use super::placeholder::{self, Forms};
use super::shell::{self, CommandLine};
use crate::definition::codes;
use crate::definition::node::Node;

/// Translates it.
pub(super) fn translate(draft: &mut Draft<'_>) {
    let Some(commands) = draft.take("commands") else { return };
    draft.declare("parameters");
    let mut lines = String::from("Commands:\n");
    for command in commands.items() {
        lines.push_str(&line(draft, command));
    }
    let instructions = draft.take("instructions");
    let text = instructions.and_then(Node::as_str).unwrap_or_default().trim_end();
    let mut prompt = placeholder::literal(text, &|name| draft.parameters.has(name));
    if !prompt.is_empty() {
        prompt.push_str("\n\n");
    }
    prompt.push_str(&lines);
    let span = &instructions.unwrap_or(commands).span;
    draft.text_unless("type", "prompt_inline", span);
    draft.text("prompt", &prompt, span);
}

/// `- NAME: DESCRIPTION: COMMAND` for one of the commands.
fn line(draft: &mut Draft<'_>, command: &Node) -> String {
    let text = |key: &str| command.get(key).and_then(Node::as_str).map(str::trim).filter(|text| !text.is_empty());
    let (name, description) = (text("name"), text("description"));
    let Some(node) = command.get("command").filter(|node| node.as_str().is_some()) else {
        draft.sink.warning(
            codes::BROKEN_COMMAND,
            &command.span,
            "this entry has no `command`",
            "add \"command\": \"PROGRAM ARGUMENTS\", or remove the entry",
        );
        return String::new();
    };
    let written = node.as_str().unwrap_or_default();
    for danger in danger::of_line(written) {
        draft::warn_danger(draft.sink, &danger, node);
    }
    let shown = with_parameters(draft, node, written, name);
    if let CommandLine::Broken(why) = shell::analyse(&shown, &|name| draft.parameters.has(name)) {
        draft.sink.warning(
            codes::BROKEN_COMMAND,
            &node.span,
            why,
            "write the command as you would type it into a shell",
        );
    }
    let heading = [name, description].into_iter().flatten().collect::<Vec<_>>().join(": ");
    format!("- {heading}\n  `{shown}`\n")
}

/// The command with v2's placeholders. One without a value shows its own name, as `<crate_name>`.
fn with_parameters(draft: &mut Draft<'_>, node: &Node, written: &str, command: Option<&str>) -> String {
    let parameters = &draft.parameters;
    let rewritten = placeholder::rewrite(written, Forms::WILD, &|name| parameters.has(name));
    for found in &rewritten.found {
        let at = draft::locate(draft.sink, node, &found.written);
        if draft.parameters.has(&found.name) {
            draft.parameters.use_in(found, &at, draft.sink);
            continue;
        }
        let default = found.default.clone().unwrap_or_else(|| format!("<{}>", found.name));
        let parameter = Node::object(&at)
            .with("name", Node::string(&found.name, &at))
            .with("type", Node::string("string", &at))
            .with("required", Node::bool(false, &at))
            .with("default", Node::string(default, &at));
        let parameter = match command {
            Some(command) => parameter.with("description", Node::string(format!("Used by {command}"), &at)),
            None => parameter,
        };
        draft.parameters.add(&found.name, normalise(parameter, &found.name, draft.sink));
    }
    rewritten.text
}
