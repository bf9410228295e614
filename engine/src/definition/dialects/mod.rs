//! Forms of a definition that are met in the wild, translated into v2.
//!
//! Which form a file has is decided by its content, by the first of these that fits:
//!
//! 1. `implementation` is an object: [`Dialect::Implementation`], whatever `type` or `skill_type` says;
//! 2. `type` or `skill_type` is there: none of these, but v2 or v1;
//! 3. `handler` is an object with a `type`: [`Dialect::SlashCommand`];
//! 4. `handler` is any other object: [`Dialect::CustomCommand`];
//! 5. `command` is an object: [`Dialect::ProgramCommand`];
//! 6. `commands` is an array of objects: [`Dialect::CommandList`];
//! 7. `steps` is an array of objects that name a `tool` or `skill`: [`Dialect::Workflow`].
//!
//! A translation keeps what the file meant. What it cannot keep it says: keys without a counterpart stay in `metadata`
//! with a warning, and what is inconsistent or dangerous gets a warning of its own.

mod command_list;
mod commands;
pub(super) mod danger;
mod deviations;
pub(super) mod draft;
mod implementation;
mod parameters;
mod placeholder;
mod shell;
mod workflow;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use deviations::executor;

use crate::Dialect;
use crate::definition::codes;
use crate::definition::node::Node;
use crate::definition::sink::Sink;
use draft::Draft;

/// The wild form of a definition; `None` where it is v1, v2, or no definition at all.
pub(crate) fn classify(root: &Node) -> Option<Dialect> {
    let object = |key: &str| root.get(key).is_some_and(Node::is_object);
    let objects = |key: &str| {
        root.get(key).map(Node::items).filter(|items| !items.is_empty() && items.iter().all(Node::is_object))
    };
    if object("implementation") {
        return Some(Dialect::Implementation);
    }
    if root.has("type") || root.has("skill_type") {
        return None;
    }
    if let Some(handler) = root.get("handler").filter(|handler| handler.is_object()) {
        return Some(if handler.has("type") { Dialect::SlashCommand } else { Dialect::CustomCommand });
    }
    if object("command") {
        return Some(Dialect::ProgramCommand);
    }
    if objects("commands").is_some() {
        return Some(Dialect::CommandList);
    }
    let steps = objects("steps")?;
    steps.iter().any(|step| step.has("tool") || step.has("skill")).then_some(Dialect::Workflow)
}

/// The v2 form of a definition, with the spans of the original and a warning that names the form.
///
/// For [`Dialect::V2`] it is the file itself with small deviations set right, each with a warning of its own. Any other
/// dialect that is translated elsewhere comes back as it is.
pub(crate) fn to_v2(dialect: Dialect, root: &Node, sink: &mut Sink) -> Node {
    let (what, key): (&str, &str) = match dialect {
        Dialect::V2 => return deviations::to_v2(root, sink),
        Dialect::Implementation => ("a skill with an `implementation`", "implementation"),
        Dialect::SlashCommand => ("a slash command", "handler"),
        Dialect::CustomCommand => ("a custom command", "handler"),
        Dialect::ProgramCommand => ("a program command", "command"),
        Dialect::CommandList => ("a command list", "commands"),
        Dialect::Workflow => ("a workflow", "steps"),
        _ => return root.clone(),
    };
    if let Some(member) = root.member(key) {
        let help = format!("`skills upgrade {}` writes the v2 form", sink.file());
        sink.warning(codes::DIALECT, &member.key_span, format!("this is {what}, not a v2 definition"), help);
    }
    let mut draft = Draft::new(root, sink);
    match dialect {
        Dialect::Implementation => implementation::translate(&mut draft),
        Dialect::SlashCommand => commands::slash(&mut draft),
        Dialect::CustomCommand => commands::custom(&mut draft),
        Dialect::ProgramCommand => commands::program(&mut draft),
        Dialect::CommandList => command_list::translate(&mut draft),
        _ => workflow::translate(&mut draft),
    }
    draft.finish()
}
