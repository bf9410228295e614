//! The v2 form of a definition, as text.

use crate::definition::codes;
use crate::definition::node::{Data, Node};
use crate::definition::sink::Sink;
use crate::definition::{RawDefinition, translate};
use crate::{Diagnostic, Dialect};

/// The order in which a v2 file is written: what it is, what it runs, what it takes, what it may do, the rest. Keys that
/// are not here come last, in the order of the file.
const ORDER: [&str; 38] = [
    "$schema",
    "name",
    "description",
    "version",
    "aliases",
    "author",
    "license",
    "homepage",
    "scope",
    "type",
    "executor",
    "command",
    "args",
    "shell",
    "code",
    "language",
    "working_directory",
    "environment",
    "prompt",
    "prompt_template",
    "instructions",
    "conversation",
    "completion",
    "parameters",
    "output_format",
    "timeout",
    "resource_limits",
    "sandbox",
    "security",
    "session_config",
    "context_files",
    "model",
    "context_window",
    "resilience",
    "dependencies",
    "provides",
    "scripts",
    "metadata",
];

/// The definition in the v2 form: pretty JSON that ends with a line break. It loads as the same skill, so long as it
/// stands in the same folder. Comments are lost, and numbers stay as they were written.
///
/// # Errors
/// What keeps the definition from being translated. A `SKILL.md` is one: it is a form of its own, which other programs
/// read too, and its instructions may hold braces that would be placeholders in JSON.
pub fn upgrade(raw: &RawDefinition) -> Result<String, Vec<Diagnostic>> {
    let mut sink = Sink::new(&raw.file, &raw.text);
    sink.extend(raw.diagnostics.iter().cloned());
    if raw.dialect == Dialect::SkillMd {
        let help = "leave it as it is, or write a JSON definition beside it and delete it";
        sink.error(codes::UNTRANSLATABLE, &(0..0), "a SKILL.md has no v2 form: it is a current form of its own", help);
        return Err(sink.finish());
    }
    let tree = translate(raw.dialect, raw.root.clone(), &mut sink);
    if sink.errors() > 0 {
        return Err(sink.finish());
    }
    Ok(format!("{}\n", ordered(tree).pretty()))
}

/// The order in which a parameter is written.
const PARAMETER: [&str; 8] = ["name", "type", "description", "required", "default", "enum", "values", "pattern"];

fn ordered(mut node: Node) -> Node {
    sort(&mut node, &ORDER);
    if let Data::Object(members) = &mut node.data
        && let Some(parameters) = members.iter_mut().find(|member| member.key == "parameters")
        && let Data::Array(items) = &mut parameters.value.data
    {
        items.iter_mut().for_each(|item| sort(item, &PARAMETER));
    }
    node
}

/// Sorts the keys of an object. The sort is stable: what has no place in the order keeps the one it has.
fn sort(node: &mut Node, order: &[&str]) {
    if let Data::Object(members) = &mut node.data {
        members.sort_by_key(|member| order.iter().position(|key| *key == member.key).unwrap_or(order.len()));
    }
}
