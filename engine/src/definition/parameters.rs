//! Parameters: from a v2 list or a v1 map to JSON Schemas, draft 2020-12.

use crate::definition::fields::Fields;
use crate::definition::limits;
use crate::definition::node::{Data, Node, Span};
use crate::definition::sink::Sink;
use crate::definition::{codes, names, patterns, suggest};
use serde_json::{Map, Value, json};
use skills_core::ParameterSpec;
use std::collections::HashSet;

/// The types that a parameter may have. `enum` is one of its values, whatever their types.
const TYPES: &[&str] = &["string", "number", "integer", "boolean", "enum", "array", "object", "any"];

/// The constraints that only some types have: the key here, the key in JSON Schema, and the types.
const LENGTHS: &[(&str, &str, &str, &str)] =
    &[("min_length", "minLength", "max_length", "string"), ("min_items", "minItems", "max_items", "array")];

/// The parameters of a definition, in order; what is wrong with one leaves the others as they are.
pub(crate) fn build(node: &Node, sink: &mut Sink) -> Vec<ParameterSpec> {
    let mut parameters = Vec::new();
    let mut known = HashSet::new();
    for (name, span, node) in entries(node, sink) {
        if !known.insert(name) {
            let message = format!("two parameters are called `{name}`");
            sink.error(codes::DUPLICATE_PARAMETER, &span, message, "rename one of the two");
            // What else is wrong with it is said all the same.
            parameter(name, &span, node, sink);
            continue;
        }
        parameters.push(parameter(name, &span, node, sink));
    }
    parameters
}

/// Each parameter with its name, where the name stands, and its object.
fn entries<'a>(node: &'a Node, sink: &mut Sink) -> Vec<(&'a str, Span, &'a Node)> {
    if !node.is_object() && !node.is_array() {
        let message = format!("`parameters` is {}, but has to be a list", node.type_name());
        sink.error(codes::WRONG_TYPE, &node.span, message, "write `[{\"name\": …, \"type\": …}]`");
        return Vec::new();
    }
    let mut entries = Vec::new();
    for (index, item) in node.items().iter().enumerate() {
        if !is_parameter(&format!("parameter {}", index + 1), item, sink) {
            continue;
        }
        let mut fields = Fields::new(item, "");
        match fields.node("name") {
            None => {
                let message = format!("parameter {} has no `name`", index + 1);
                let start = item.span.start;
                sink.error(codes::MISSING_KEY, &(start..start + 1), message, "write `\"name\": \"…\"`");
            }
            Some(_) => {
                if let Some(name) = fields.text("name", sink) {
                    entries.push((name.text, name.span.clone(), item));
                }
            }
        }
    }
    for member in node.members() {
        if is_parameter(&format!("parameter `{}`", member.key), &member.value, sink) {
            entries.push((member.key.as_str(), member.key_span.clone(), &member.value));
        }
    }
    entries
}

fn is_parameter(named: &str, node: &Node, sink: &mut Sink) -> bool {
    if !node.is_object() {
        let message = format!("{named} is {}, but has to be an object", node.type_name());
        sink.error(codes::WRONG_TYPE, &node.span, message, "write `{\"type\": \"string\", \"required\": true}`");
    }
    node.is_object()
}

fn parameter(name: &str, span: &Span, node: &Node, sink: &mut Sink) -> ParameterSpec {
    names::check_parameter(name, span, sink);
    let mut fields = Fields::new(node, &format!("parameters.{name}"));
    // Its name stands in it where parameters are a list, and is read already.
    fields.node("name");
    let errors = sink.errors();
    let schema = schema(&mut fields, sink);
    let sound = sink.errors() == errors;
    let description = fields.text("description", sink).map(|text| text.text.to_owned());
    let required = fields.bool("required", sink).unwrap_or(false);
    let default = fields.node("default").map(|node| (node.to_value(), &node.span));
    if let Some((value, span)) = &default {
        if sound {
            check_default(name, &schema, value, span, sink);
        }
        if required {
            let message = format!("parameter `{name}` is required, so its default is never used");
            sink.warning(
                codes::REQUIRED_WITH_DEFAULT,
                span,
                message,
                "remove `default`, or write `\"required\": false`",
            );
        }
    }
    fields.finish(sink);
    let default = default.map(|(value, _)| value);
    ParameterSpec { name: name.to_owned(), schema, required, default, description }
}

/// The JSON Schema of one parameter, or of the items of one.
fn schema(fields: &mut Fields<'_>, sink: &mut Sink) -> Value {
    let mut schema = Map::new();
    let kind = kind(fields, sink);
    if let Some(kind) = kind.filter(|kind| *kind != "enum") {
        schema.insert("type".into(), kind.into());
    }
    values(fields, kind, &mut schema, sink);
    if let Some(text) = fields.text("pattern", sink)
        && applies("pattern", &["string"], kind, text.span, sink)
        && patterns::check(text.text, text.span, sink)
    {
        schema.insert("pattern".into(), text.text.into());
    }
    range(fields, kind, &mut schema, sink);
    for (least, json_least, most, of) in LENGTHS {
        lengths(fields, (least, json_least, most), of, kind, &mut schema, sink);
    }
    if let Some(node) = fields.node("items")
        && applies("items", &["array"], kind, &node.span, sink)
    {
        schema.insert("items".into(), items(fields, node, sink));
    }
    if let Some(properties) = fields.object("properties", sink)
        && applies("properties", &["object"], kind, properties.span(), sink)
    {
        object_schema(properties, &mut schema, sink);
    }
    Value::Object(schema)
}

/// The type of a parameter; `None` where it may be any.
fn kind(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<&'static str> {
    let choices: Vec<(&'static str, &'static str)> = TYPES.iter().map(|word| (*word, *word)).collect();
    fields.choice("type", &choices, sink).filter(|kind| *kind != "any")
}

/// The values of an enum: `values` in v2, `enum` in v1 and JSON Schema.
fn values(fields: &mut Fields<'_>, kind: Option<&str>, schema: &mut Map<String, Value>, sink: &mut Sink) {
    let (listed, other) = (fields.member("values"), fields.member("enum"));
    if let (Some(values), Some(other)) = (listed, other)
        && values.value.to_value() != other.value.to_value()
    {
        let message = format!("{} and {} differ; `values` holds", fields.named("values"), fields.named("enum"));
        sink.warning(codes::CONFLICTING_DEFAULT, &other.key_span, message, "remove one of the two");
    }
    let Some(member) = listed.or(other) else {
        if kind == Some("enum") {
            fields.missing(codes::ENUM_WITHOUT_VALUES, "values", "write `\"values\": [\"one\", \"two\"]`", sink);
        }
        return;
    };
    let node = &member.value;
    if !node.is_array() {
        fields.wrong_type(&member.key, node, "an array", "write `[\"one\", \"two\"]`", sink);
        return;
    }
    if node.items().is_empty() {
        let message = format!("{} is empty, so no value is ever allowed", fields.named(&member.key));
        sink.error(codes::ENUM_WITHOUT_VALUES, &node.span, message, "list the values that are allowed");
        return;
    }
    let mut values = Vec::new();
    let mut known = HashSet::new();
    for item in node.items() {
        let value = item.to_value();
        if !known.insert(value.to_string()) {
            sink.warning(
                codes::REPEATED,
                &item.span,
                format!("the value {value} is listed twice"),
                "remove one of the two",
            );
        } else {
            check_type_of_value(kind, &value, item, sink);
            values.push(value);
        }
    }
    schema.insert("enum".into(), Value::Array(values));
}

fn check_type_of_value(kind: Option<&str>, value: &Value, node: &Node, sink: &mut Sink) {
    let fits = match kind {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if let (false, Some(kind)) = (fits, kind) {
        let message = format!("the value {value} is not of the parameter's type, {kind}");
        sink.error(codes::WRONG_TYPE, &node.span, message, format!("write a value of type {kind}, or another `type`"));
    }
}

fn range(fields: &mut Fields<'_>, kind: Option<&str>, schema: &mut Map<String, Value>, sink: &mut Sink) {
    let mut ends = [None, None];
    for (key, end) in ["minimum", "maximum"].into_iter().zip(&mut ends) {
        let Some(node) = fields.node(key) else { continue };
        if !applies(key, &["number", "integer"], kind, &node.span, sink) {
            continue;
        }
        match node.as_f64().filter(|number| number.is_finite()) {
            Some(number) => {
                schema.insert(key.into(), node.to_value());
                *end = Some(number);
            }
            None if matches!(node.data, Data::Number(_)) => {
                let written = sink.text().get(node.span.clone()).unwrap_or_default().to_owned();
                let message = format!("{} is {written}, which JSON has no number for", fields.named(key));
                sink.error(codes::OUT_OF_RANGE, &node.span, message, "write a finite number, or leave it out");
            }
            None => fields.wrong_type(key, node, "a number", "write a number", sink),
        }
    }
    if let [Some(least), Some(most)] = ends
        && least > most
        && let Some(node) = fields.node("minimum")
    {
        let message = format!("`minimum` {least} is above `maximum` {most}, so no value is ever allowed");
        sink.error(codes::EMPTY_RANGE, &node.span, message, "exchange the two");
    }
}

fn lengths(
    fields: &mut Fields<'_>,
    (least, json_least, most): (&'static str, &str, &'static str),
    of: &str,
    kind: Option<&str>,
    schema: &mut Map<String, Value>,
    sink: &mut Sink,
) {
    let mut ends = [None, None];
    let json_most = json_least.replace("min", "max");
    for ((key, json_key), end) in [(least, json_least), (most, json_most.as_str())].into_iter().zip(&mut ends) {
        let Some(node) = fields.node(key) else { continue };
        if applies(key, &[of], kind, &node.span, sink) {
            *end = fields.count(key, &limits::LENGTH, sink);
            if let Some(length) = *end {
                schema.insert(json_key.into(), length.into());
            }
        }
    }
    if let [Some(shortest), Some(longest)] = ends
        && shortest > longest
        && let Some(node) = fields.node(least)
    {
        let message = format!("`{least}` {shortest} is above `{most}` {longest}, so no value is ever allowed");
        sink.error(codes::EMPTY_RANGE, &node.span, message, "exchange the two");
    }
}

/// Whether a constraint belongs to the parameter's type; warns where it does not, since it would never be looked at.
fn applies(key: &str, types: &[&str], kind: Option<&str>, span: &Span, sink: &mut Sink) -> bool {
    match kind {
        Some(kind) if !types.contains(&kind) => {
            let message = format!("`{key}` means nothing for a parameter of type {kind}");
            let help = format!("remove it; it is for {}", suggest::list(types.iter().copied()));
            sink.warning(codes::CONSTRAINT_OF_OTHER_TYPE, span, message, help);
            false
        }
        _ => true,
    }
}

/// The schema of an array's items: a type's name, or an object as a parameter has it.
fn items(fields: &Fields<'_>, node: &Node, sink: &mut Sink) -> Value {
    match node.as_str() {
        Some("any") => json!({}),
        Some(kind) if TYPES.contains(&kind) && kind != "enum" => json!({"type": kind}),
        Some(kind) => {
            let message = format!("{} is `{kind}`, which is no type", fields.named("items"));
            sink.error(codes::UNKNOWN_VALUE, &node.span, message, suggest::help(kind, TYPES.iter().copied()));
            json!({})
        }
        None if node.is_object() => inner_schema(node, &fields.named("items").replace('`', ""), sink),
        None => {
            fields.wrong_type("items", node, "an object", "write `{\"type\": \"string\"}`", sink);
            json!({})
        }
    }
}

fn inner_schema(node: &Node, place: &str, sink: &mut Sink) -> Value {
    let mut inner = Fields::new(node, place);
    let mut schema = schema(&mut inner, sink);
    if let (Some(text), Value::Object(map)) = (inner.text("description", sink), &mut schema) {
        map.insert("description".into(), text.text.into());
    }
    // Read by the object around it; in a list's items it says nothing.
    inner.bool("required", sink);
    inner.finish(sink);
    schema
}

/// The members of an object parameter, each as a parameter has it, with `required` inside.
fn object_schema(properties: Fields<'_>, schema: &mut Map<String, Value>, sink: &mut Sink) {
    let mut inner = Map::new();
    let mut required = Vec::new();
    for member in properties.members() {
        let place = properties.named(&member.key).replace('`', "");
        if !is_parameter(&format!("`{place}`"), &member.value, sink) {
            continue;
        }
        inner.insert(member.key.clone(), inner_schema(&member.value, &place, sink));
        if member.value.get("required").and_then(Node::as_bool) == Some(true) {
            required.push(Value::String(member.key.clone()));
        }
    }
    schema.insert("properties".into(), Value::Object(inner));
    if !required.is_empty() {
        schema.insert("required".into(), Value::Array(required));
    }
}

/// A default has to be what a caller could give.
fn check_default(name: &str, schema: &Value, value: &Value, span: &Span, sink: &mut Sink) {
    let options = jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
    let Ok(validator) = options.build(schema) else { return };
    let reasons: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    if !reasons.is_empty() {
        let message = format!("the default of `{name}` is not allowed by the parameter itself: {}", reasons.join("; "));
        sink.error(codes::BAD_DEFAULT, span, message, "change the default, or what the parameter allows");
    }
}
