//! The published JSON Schemas, and the check of a file against its own.
//!
//! They are derived from plain structs that say what a file may hold, key by key, for editors and for people, with rules
//! for which keys go together ([`rules`]). What they cannot say (what a reference leads to) the builder checks, and the rest
//! in better words; where both complain about the same place, the builder's complaint is kept.

mod protection;
mod rules;
mod shared;
mod v1;
mod v2;

use crate::Dialect;
use crate::definition::node::Node;
use crate::definition::sink::Sink;
use crate::definition::{RawDefinition, codes};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// The JSON Schema (draft 2020-12) of v1 and of v2; `None` for a form that has none.
pub fn schema(dialect: Dialect) -> Option<Value> {
    match dialect {
        Dialect::V1 => Some(generate::<v1::Definition>("urn:skills:schema:v1", dialect)),
        Dialect::V2 => Some(generate::<v2::Definition>("urn:skills:schema:v2", dialect)),
        _ => None,
    }
}

fn generate<T: JsonSchema>(id: &str, dialect: Dialect) -> Value {
    let schema: Schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let mut rest = schema.to_value();
    rules::add(dialect, &mut rest);
    // What it is comes first, for those who read it.
    let mut first = Map::new();
    first.insert("$schema".to_owned(), rest["$schema"].take());
    first.insert("$id".to_owned(), Value::from(id));
    if let Value::Object(rest) = rest {
        first.extend(rest.into_iter().filter(|(key, _)| key != "$schema"));
    }
    Value::Object(first)
}

/// Reports where a file does not match the schema of its form, unless something is reported there already.
pub(crate) fn check(raw: &RawDefinition, sink: &mut Sink) {
    static V1: OnceLock<Option<Validator>> = OnceLock::new();
    static V2: OnceLock<Option<Validator>> = OnceLock::new();
    // Other spellings are accepted, and have been remarked.
    let remarked = &mut Sink::new(&raw.file, &raw.text);
    let (cell, root) = match raw.dialect {
        Dialect::V1 => (&V1, &super::v1::respell(&raw.root, remarked)),
        Dialect::V2 => (&V2, &super::v2::to_v2(raw.root.clone(), remarked)),
        _ => return,
    };
    // The schemas are the engine's own and compile, as a test shows.
    let compile = || jsonschema::validator_for(&schema(raw.dialect)?).ok();
    let Some(validator) = cell.get_or_init(compile) else { return };
    let value = root.to_value();
    // What a rule finds, the builder has reported in other words, often at another place.
    let sound = sink.errors() == 0;
    for error in validator.iter_errors(&value) {
        if !sound && error.schema_path().to_string().contains(rules::PLACE) {
            continue;
        }
        let pointer = error.instance_path().to_string();
        let node = locate(root, &pointer);
        // An excerpt of a whole object says nothing: its opening bracket stands for it. But an error anywhere inside is
        // the reason why an executor, say, matches none of its forms.
        let bracket = node.span.start..node.span.start + 1;
        let about = if pointer.is_empty() { &bracket } else { &node.span };
        let span = if node.is_object() { &bracket } else { &node.span };
        if !sink.has_error_at(about) {
            let place = match pointer.trim_start_matches('/') {
                "" => "the definition".to_owned(),
                inner => format!("`{}`", inner.replace('/', ".")),
            };
            let message = match error.kind() {
                ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
                    format!("{place} has none of the forms that it may have")
                }
                _ => format!("{place} does not match the schema: {error}"),
            };
            sink.error(codes::SCHEMA, span, message, "`skills schema` prints what is allowed");
        }
    }
}

/// The node at a JSON pointer, or the last one on the way to it.
fn locate<'a>(root: &'a Node, pointer: &str) -> &'a Node {
    let mut node = root;
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        match node.get(&key).or_else(|| node.items().get(key.parse::<usize>().ok()?)) {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_schemas_are_current() {
        for (dialect, name) in [(Dialect::V1, "skill-v1.schema.json"), (Dialect::V2, "skill-v2.schema.json")] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
            let current = format!("{}\n", serde_json::to_string_pretty(&schema(dialect).unwrap()).unwrap());
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                std::fs::write(&path, &current).unwrap();
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(published == current, "{name} is out of date: run the tests once with UPDATE_EXPECTED=1");
            assert!(jsonschema::meta::is_valid(&schema(dialect).unwrap()), "{name} is no JSON Schema");
            assert!(jsonschema::validator_for(&schema(dialect).unwrap()).is_ok(), "{name} does not compile");
        }
    }
}
