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
use skills_core::json;
use skills_core::value::{MAX_DEPTH, depth};

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
    match json::read::<Object>(text) {
        Ok(Object(map)) if map.values().any(|value| depth(value) >= MAX_DEPTH) => Err(problem(too_deep(), FLATTER)),
        Ok(Object(map)) => Ok(map),
        Err(error) if error.is_data() && error.to_string().starts_with("invalid type") => {
            let found = json::read::<Value>(text).map_or("something else", |value| error::type_name(&value));
            Err(problem(format!("the parameters have to be an object, not {found}"), FORM))
        }
        Err(error) => {
            let place = format!("at line {}, column {}", error.line(), error.column());
            Err(match reason(&error) {
                Reason::Range => problem(format!("the parameters have a number beyond {RANGE}, {place}"), QUOTED),
                Reason::Depth => problem(too_deep(), FLATTER),
                Reason::Other(reason) if error.is_data() => {
                    problem(format!("the parameters cannot be taken, {place}: {reason}"), MARKS)
                }
                Reason::Other(reason) => problem(format!("the parameters are not JSON, {place}: {reason}"), MARKS),
            })
        }
    }
}

/// How large a number may be.
const RANGE: &str = "1.8e308, the largest that JSON readers keep";

const QUOTED: &str = "give it as a text, in double quotes";
const FLATTER: &str = "give a flatter value, or a text that holds JSON";
const MARKS: &str = "check the quotes, commas and brackets there; names and texts stand in double quotes";

fn too_deep() -> String {
    format!("the parameters are nested deeper than {MAX_DEPTH} levels")
}

/// Why text cannot be read.
enum Reason {
    /// It has a number that is too large.
    Range,
    /// It nests too deep.
    Depth,
    /// Anything else, in the reader's words.
    Other(String),
}

fn reason(error: &serde_json::Error) -> Reason {
    let whole = error.to_string();
    // The reader tells these apart by its words only.
    match whole.split(" at line ").next().unwrap_or_default() {
        "number out of range" => Reason::Range,
        "recursion limit exceeded" => Reason::Depth,
        other => Reason::Other(other.to_owned()),
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
