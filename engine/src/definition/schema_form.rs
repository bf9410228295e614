//! Parameters that are written as one JSON Schema of an object, as tool definitions of models have them.

use crate::definition::codes;
use crate::definition::node::{Member, Node, Span};
use crate::definition::sink::Sink;

/// JSON Schema's words for what parameters call otherwise.
const RENAMED: &[(&str, &str)] =
    &[("minLength", "min_length"), ("maxLength", "max_length"), ("minItems", "min_items"), ("maxItems", "max_items")];

/// The list of parameters of `{"type": "object", "properties": {…}, "required": […]}`, with a warning; `None` where the
/// node is no such schema.
pub(crate) fn parameters(node: &Node, key_span: &Span, sink: &mut Sink) -> Option<Node> {
    let properties = node.get("properties").filter(|properties| properties.is_object())?;
    if node.get("type").and_then(Node::as_str) != Some("object") {
        return None;
    }
    let message = "`parameters` is written as a JSON Schema, not as a list of parameters";
    let help =
        format!("write `[{{\"name\": …, \"type\": …, \"required\": true}}]`; `skills upgrade {}` does", sink.file());
    sink.warning(codes::PARAMETERS_AS_SCHEMA, key_span, message, help);
    let list = properties.members().iter().map(|member| {
        let mut parameter = Node::object(&member.value.span);
        parameter.set("name", &member.key_span, Node::string(member.key.clone(), &member.key_span));
        translate(&member.value, &mut parameter);
        if let Some(word) = required(node).find(|word| word.as_str() == Some(&member.key)) {
            parameter.set("required", &word.span, Node::bool(true, &word.span));
        }
        parameter
    });
    Some(Node::array(list.collect(), &node.span))
}

fn required(schema: &Node) -> impl Iterator<Item = &Node> {
    schema.get("required").map(Node::items).unwrap_or_default().iter()
}

/// Copies the members of a schema, those of schemas inside it included, under the names that parameters have.
fn translate(schema: &Node, into: &mut Node) {
    for member in schema.members().iter().filter(|member| member.key != "name") {
        let renamed = RENAMED.iter().find(|(json, _)| *json == member.key);
        let key = renamed.map_or(member.key.as_str(), |(_, own)| own);
        let value = match key {
            "items" if member.value.is_object() => inner(&member.value),
            "properties" if member.value.is_object() => {
                let mut properties = Node::object(&member.value.span);
                for property in member.value.members() {
                    let mut value = inner(&property.value);
                    if let Some(word) = required(schema).find(|word| word.as_str() == Some(&property.key)) {
                        value.set("required", &word.span, Node::bool(true, &word.span));
                    }
                    properties.push(Member::new(&property.key, &property.key_span, value));
                }
                properties
            }
            // A list of names, which are marked one by one.
            "required" if member.value.is_array() => continue,
            // Parameters allow nothing else anyhow.
            "additionalProperties" => continue,
            _ => member.value.clone(),
        };
        into.push(Member::new(key, &member.key_span, value));
    }
}

fn inner(schema: &Node) -> Node {
    if !schema.is_object() {
        return schema.clone();
    }
    let mut node = Node::object(&schema.span);
    translate(schema, &mut node);
    node
}
