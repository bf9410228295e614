//! A chain of steps, each a tool with parameters.
//!
//! The steps stay as they are written, `{{context.name}}` included; they are looked at for what cannot work.

use super::danger;
use super::draft::{self, Draft};
use crate::definition::codes;
use crate::definition::node::Node;
use std::collections::BTreeSet;

/// Translates it.
pub(super) fn translate(draft: &mut Draft<'_>) {
    let Some(steps) = draft.take("steps") else { return };
    draft.text_unless("type", "code_inline", &steps.span);
    draft.declare("parameters");
    let context = draft.take("context");
    check_names(draft, steps);
    warn_of_commands(draft, steps);
    check_context(draft, steps, context);
    let mut executor =
        Node::object(&steps.span).with("type", Node::string("workflow", &steps.span)).with("steps", steps.clone());
    if let Some(context) = context {
        executor = executor.with("context", context.clone());
    }
    draft.set("executor", executor);
}

fn check_names(draft: &mut Draft<'_>, steps: &Node) {
    let mut names = BTreeSet::new();
    for step in steps.items() {
        if let Some(name) = step.get("name")
            && name.as_str().is_some_and(|name| !names.insert(name))
        {
            draft.sink.warning(
                codes::STEP,
                &name.span,
                format!("two steps are named `{}`", name.as_str().unwrap_or_default()),
                "give each step a name of its own, so that its result can be told apart",
            );
        }
    }
}

/// Tools that run whatever command they are given.
const SHELLS: [&str; 6] = ["execute_bash", "execute_shell", "run_command", "bash", "sh", "shell"];

fn warn_of_commands(draft: &mut Draft<'_>, steps: &Node) {
    for step in steps.items() {
        let Some(tool) = step.get("tool").or_else(|| step.get("skill")) else { continue };
        if !tool.as_str().is_some_and(|name| SHELLS.contains(&name)) {
            continue;
        }
        draft.sink.warning(
            codes::DANGEROUS_COMMAND,
            &tool.span,
            format!("`{}` runs any command, with all that its user may do", tool.as_str().unwrap_or_default()),
            "use a skill that does only what this step needs",
        );
        if let Some(command) = step.at(&["parameters", "command"]) {
            for danger in danger::of_line(command.as_str().unwrap_or_default()) {
                draft::warn_danger(draft.sink, &danger, command);
            }
        }
    }
}

/// Names that a step uses and the context lacks, and the other way round.
fn check_context(draft: &mut Draft<'_>, steps: &Node, context: Option<&Node>) {
    let mut used = BTreeSet::new();
    references(draft, steps, context, &mut used);
    for member in context.map(Node::members).unwrap_or_default() {
        if !used.contains(&member.key) {
            draft.sink.warning(
                codes::UNUSED_CONTEXT,
                &member.key_span,
                format!("no step uses `{}`", member.key),
                format!("put `{{{{context.{}}}}}` where it belongs, or remove it", member.key),
            );
        }
    }
}

fn references(draft: &mut Draft<'_>, node: &Node, context: Option<&Node>, used: &mut BTreeSet<String>) {
    for piece in node.as_str().unwrap_or_default().split("{{").skip(1) {
        let Some(name) = piece.split("}}").next().and_then(|inside| inside.trim().strip_prefix("context.")) else {
            continue;
        };
        // `{{context.a.b}}` is a part of the value `a`.
        let name = name.split('.').next().unwrap_or(name);
        if context.is_none_or(|context| !context.has(name)) {
            draft.sink.warning(
                codes::STEP,
                &node.span,
                format!("the context has no `{name}`"),
                format!("add \"{name}\" to `context`"),
            );
        }
        used.insert(name.to_owned());
    }
    for item in node.items() {
        references(draft, item, context, used);
    }
    for member in node.members() {
        references(draft, &member.value, context, used);
    }
}
