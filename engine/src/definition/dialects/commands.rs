//! Commands of other programs: slash commands, custom commands, program commands.

use super::draft::Draft;
use super::implementation::inline;
use crate::definition::codes;
use crate::definition::node::{Member, Node};

/// A slash command: `command` is its name, `handler` what it runs; times in milliseconds.
pub(super) fn slash(draft: &mut Draft<'_>) {
    let Some(handler) = draft.take("handler") else { return };
    // The command's name is the skill's, unless it has one of its own.
    if let Some(name) = draft.take("command").filter(|_| !draft.root.has("name")) {
        draft.set("name", name.clone());
    }
    draft.text_unless("type", "code_inline", &handler.span);
    draft.declare("parameters");
    match handler.get("type").and_then(Node::as_str).unwrap_or_default() {
        "script" | "inline" | "code" => inline(draft, handler, &["script", "code"]),
        "command" => {
            let Some(program) = handler.get("executable").or_else(|| handler.get("command")) else {
                let help = "add \"executable\": \"PROGRAM\"";
                draft.untranslatable(&handler.span, "the handler has no `executable` to run", help);
                return;
            };
            match handler.get("args") {
                Some(arguments) => draft.program(program, Some(arguments)),
                None => {
                    let arguments = positional(draft, handler);
                    draft.program(program, arguments.as_ref());
                }
            }
            draft.surroundings(handler);
            draft.parameters.check_use(draft.sink);
        }
        other => {
            let span = handler.get("type").map_or(&handler.span, |kind| &kind.span);
            let message = format!("a handler of the type `{other}` has no counterpart");
            draft.untranslatable(span, message, "use `script` or `command`");
        }
    }
    warn_open_subcommand(draft);
}

/// A handler without arguments of its own gets the parameters, in their order.
fn positional(draft: &mut Draft<'_>, handler: &Node) -> Option<Node> {
    let names = draft.parameters.names();
    let items = names.iter().map(|name| Node::string(format!("{{{{{name}}}}}"), &handler.span)).collect();
    (!names.is_empty()).then(|| Node::array(items, &handler.span))
}

/// A subcommand that takes any text, although the file lists those that are meant.
fn warn_open_subcommand(draft: &mut Draft<'_>) {
    let Some(listed) = draft.root.at(&["autocomplete", "subcommands"]) else { return };
    let Some(member) = draft.root.get("parameters").and_then(|parameters| parameters.member("subcommand")) else {
        return;
    };
    if listed.members().is_empty() || member.value.has("enum") || member.value.has("values") {
        return;
    }
    let names: Vec<String> = listed.members().iter().map(|member| format!("\"{}\"", member.key)).collect();
    draft.sink.warning(
        codes::ANYTHING_GOES,
        &member.key_span,
        "`subcommand` takes any text, although `autocomplete` lists the subcommands that are meant",
        format!("add \"enum\": [{}]", names.join(", ")),
    );
}

/// A custom command: its `handler` is keyed by its kind.
pub(super) fn custom(draft: &mut Draft<'_>) {
    let Some(handler) = draft.take("handler") else { return };
    draft.text_unless("type", "code_inline", &handler.span);
    draft.declare("parameters");
    let [Member { key, key_span, value }] = handler.members() else {
        let help = "write one: \"handler\": {\"Script\": {\"command\": \"PROGRAM\", \"args\": []}}";
        draft.untranslatable(&handler.span, "the handler has to have exactly one kind", help);
        return;
    };
    match key.to_ascii_lowercase().as_str() {
        "script" | "command" | "shell" => match (value.get("command"), value.get("args")) {
            (Some(program), arguments) => draft.program(program, arguments),
            (None, _) => {
                let help = "add \"command\": \"PROGRAM\"";
                draft.untranslatable(&value.span, format!("the handler `{key}` has no `command`"), help);
            }
        },
        _ => {
            let message = format!("a handler of the kind `{key}` has no counterpart");
            draft.untranslatable(key_span, message, "use `Script` with `command` and `args`");
        }
    }
    draft.surroundings(value);
    draft.parameters.check_use(draft.sink);
}

/// A program command: `command` is an object with a `program`, and `options` are its parameters.
pub(super) fn program(draft: &mut Draft<'_>) {
    let Some(command) = draft.take("command") else { return };
    draft.text_unless("type", "code_inline", &command.span);
    draft.declare("parameters");
    draft.declare("options");
    match command.get("program") {
        Some(program) => draft.program(program, command.get("args")),
        None => {
            let help = "add \"program\": \"PROGRAM\"";
            draft.untranslatable(&command.span, "the command has no `program` to run", help);
        }
    }
    draft.surroundings(command);
    draft.parameters.check_use(draft.sink);
}
