//! The arguments of a call: read from JSON text or from plain words, and checked against the skill's parameters.
//!
//! ```text
//! --params text --from_text--> |
//! plain words --from_words--> | Map --Checker::check--> Map with defaults, in the declared order
//! ```
//!
//! The parameters are one JSON Schema (draft 2020-12), and `jsonschema` is what decides. A valid call of plain
//! parameters never gets that far: `plain` vouches for it in well under a microsecond, and the validator is only
//! compiled once a call needs it.

mod checker;
mod error;
mod explain;
mod plain;
mod words;

#[cfg(test)]
mod tests;

pub use checker::Checker;
pub use error::{ArgumentError, ArgumentErrors};
pub use words::from_words;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use skills_core::ParameterSpec;

/// Checks the arguments of one call; a caller that calls again keeps a [`Checker`].
///
/// # Errors
/// Every violation at once: see [`Checker::check`].
pub fn check(
    skill_name: &str,
    parameters: &[ParameterSpec],
    given: Map<String, Value>,
) -> Result<Map<String, Value>, ArgumentErrors> {
    Checker::new(parameters).check(skill_name, given)
}

/// Reads arguments from the text of a JSON object, as `--params` has it.
///
/// # Errors
/// One problem, with line and column where the text is not JSON: it is not an object, or a name stands in it twice.
pub fn from_text(text: &str) -> Result<Map<String, Value>, ArgumentErrors> {
    let problem = |message: String, help: &str| {
        ArgumentErrors::from(vec![ArgumentError { parameter: None, message, help: Some(help.to_owned()) }])
    };
    const FORM: &str = "write a JSON object: {\"name\": value, …}";
    if text.trim().is_empty() {
        return Err(problem("the parameters are empty".to_owned(), FORM));
    }
    match serde_json::from_str::<Object>(text) {
        Ok(Object(map)) => Ok(map),
        Err(error) if error.is_data() && error.to_string().starts_with("invalid type") => {
            let found = serde_json::from_str::<Value>(text).map_or("something else", |value| error::type_name(&value));
            Err(problem(format!("the parameters have to be an object, not {found}"), FORM))
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let whole = error.to_string();
            let reason = whole.split(" at line ").next().unwrap_or_default();
            let what = if error.is_data() { "cannot be taken" } else { "are not JSON" };
            let message = format!("the parameters {what}, at line {line}, column {column}: {reason}");
            Err(problem(message, "check the quotes, commas and brackets there; names and texts stand in double quotes"))
        }
    }
}

/// A JSON object in which no name stands twice: of two values, nobody could say which was meant.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if map.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("`{name}` is given twice")));
                    }
                    map.insert(name, value);
                }
                Ok(Object(map))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
