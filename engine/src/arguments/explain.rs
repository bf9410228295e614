//! What a validator found, in a person's words.

use super::error::{ArgumentError, clipped, type_name};
use crate::definition::suggest;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// Adds the problems that an error of the validator stands for. `schema` is the whole schema, `arguments` what it was
/// held against.
pub(super) fn explain(
    schema: &Value,
    arguments: &Value,
    error: &ValidationError<'_>,
    problems: &mut Vec<ArgumentError>,
) {
    let place = place(error.instance_path());
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            problems.push(missing(schema, place.as_deref(), name, error));
        }
        Kind::AdditionalProperties { unexpected } => {
            let known = siblings(schema, error);
            problems.extend(unexpected.iter().map(|name| unknown(arguments, place.as_deref(), name, &known, error)));
        }
        // A value of the wrong type fails its enum too, and what is allowed is what helps.
        Kind::Type { .. } if has_enum_beside(schema, error) => {}
        Kind::Type { kind } if takes_numbers(kind) && integer_in(error.instance()).is_some() => {
            let (named, digits) = (place.clone().unwrap_or_default(), integer_in(error.instance()).unwrap_or_default());
            let message =
                format!("`{named}` is {}, an integer beyond 64 bits, which would lose digits", shortened(digits));
            let help = "give a smaller one; with a fraction (`1.0e30`) it is a floating point number, and as a text it keeps its digits";
            problems.push(ArgumentError { parameter: place, message, help: Some(help.to_owned()) });
        }
        _ => {
            let named = place.clone().unwrap_or_default();
            let message = format!("`{named}` is {}: {}", clipped(error.instance()), allowed(error));
            problems.push(ArgumentError { parameter: place, message, help: None });
        }
    }
}

/// The digits of an integer that is there as its description.
fn integer_in(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 2)?;
    members.get("$type").filter(|name| *name == "integer")?;
    members.get("repr")?.as_str()
}

fn takes_numbers(kind: &TypeKind) -> bool {
    let is_number = |one: JsonType| matches!(one.as_str(), "integer" | "number");
    match kind {
        TypeKind::Single(one) => is_number(*one),
        TypeKind::Multiple(set) => set.iter().any(is_number),
    }
}

fn shortened(digits: &str) -> String {
    const MOST: usize = 60;
    if digits.len() > MOST { format!("{}…", &digits[..MOST]) } else { digits.to_owned() }
}

/// `items[2].price`; `None` for the arguments as a whole.
fn place(path: &Location) -> Option<String> {
    let mut place = String::new();
    for segment in path.iter() {
        match segment {
            LocationSegment::Index(index) => place.push_str(&format!("[{index}]")),
            LocationSegment::Property(name) if place.is_empty() => place.push_str(&name),
            LocationSegment::Property(name) => place = member(&place, &name),
        }
    }
    (!place.is_empty()).then_some(place)
}

fn member(place: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain { format!("{place}.{name}") } else { format!("{place}[{}]", clipped(&Value::from(name))) }
}

fn missing(schema: &Value, place: Option<&str>, name: &str, error: &ValidationError<'_>) -> ArgumentError {
    let property = parent(schema, error).and_then(|schema| schema.get("properties")?.get(name));
    let wanted = property.and_then(wanted).map_or_else(String::new, |wanted| format!(": {wanted}"));
    match place {
        None => ArgumentError {
            parameter: Some(name.to_owned()),
            message: format!("`{name}` is missing{wanted}"),
            help: None,
        },
        Some(place) => ArgumentError {
            parameter: Some(member(place, name)),
            message: format!("`{}` is missing{wanted}", member(place, name)),
            help: None,
        },
    }
}

/// What a property wants, from its schema: `must be one of add, subtract`, else its type, else its description.
fn wanted(schema: &Value) -> Option<String> {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return Some(format!("must be one of {}", list(options)));
    }
    let types = match schema.get("type")? {
        Value::String(name) => type_words(name).to_owned(),
        Value::Array(names) => or(names.iter().filter_map(Value::as_str).map(type_words)),
        _ => return None,
    };
    Some(format!("must be {types}"))
}

fn unknown(
    arguments: &Value,
    place: Option<&str>,
    name: &str,
    known: &[&str],
    error: &ValidationError<'_>,
) -> ArgumentError {
    let near = suggest::nearest(name, known.iter().copied());
    // Anything may stand there: the message stays on one line, and free of what a terminal would act on.
    let plain: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    // The instance of the error is the object; without a place it is the arguments themselves.
    let value = if place.is_none() { arguments.get(name) } else { error.instance().get(name) };
    let shown = value.map_or_else(String::new, |value| format!(" (given as {})", clipped(value)));
    match place {
        None => ArgumentError {
            parameter: Some(name.to_owned()),
            message: format!("there is no parameter `{plain}`{shown}{hint}"),
            help: None,
        },
        Some(place) => ArgumentError {
            parameter: Some(member(place, name)),
            message: format!("`{place}` has the unknown key `{plain}`{shown}{hint}"),
            help: None,
        },
    }
}

/// The schema that holds the keyword which failed.
fn parent<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Option<&'s Value> {
    let (parent, _keyword) = error.schema_path().as_str().rsplit_once('/')?;
    schema.pointer(parent)
}

fn siblings<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Vec<&'s str> {
    let properties = parent(schema, error).and_then(|schema| schema.get("properties")?.as_object());
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn has_enum_beside(schema: &Value, error: &ValidationError<'_>) -> bool {
    parent(schema, error).is_some_and(|schema| schema.get("enum").is_some())
}

/// What is allowed instead.
fn allowed(error: &ValidationError<'_>) -> String {
    match error.kind() {
        Kind::Type { kind } => format!("must be {}", types(kind)),
        Kind::Enum { options } => match options.as_array() {
            Some(options) => {
                let near = error.instance().as_str().and_then(|word| {
                    suggest::nearest(word, options.iter().filter_map(Value::as_str)).filter(|near| *near != word)
                });
                let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                format!("must be one of {}{hint}", list(options))
            }
            None => "must be one of those listed".to_owned(),
        },
        Kind::Constant { expected_value } => format!("must be {}", clipped(expected_value)),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {}", plural(*limit, "character")),
        Kind::MaxLength { limit } => format!("must have at most {}", plural(*limit, "character")),
        Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinItems { limit } => format!("must have at least {}", plural(*limit, "item")),
        Kind::MaxItems { limit } => format!("must have at most {}", plural(*limit, "item")),
        Kind::MinProperties { limit } => format!("must have at least {}", plural(*limit, "key")),
        Kind::MaxProperties { limit } => format!("must have at most {}", plural(*limit, "key")),
        Kind::UniqueItems => "must not have the same item twice".to_owned(),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Format { format } => format!("must be a valid {format}"),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => alternatives(context),
        Kind::OneOfMultipleValid { .. } => "must fit exactly one of the forms allowed, but fits several".to_owned(),
        Kind::FalseSchema => "must be left out".to_owned(),
        // Rare keywords, in the validator's own words.
        _ => error.masked_with("it").to_string(),
    }
}

/// What each branch of an `anyOf` would have taken.
fn alternatives(branches: &[Vec<ValidationError<'static>>]) -> String {
    let mut wanted: Vec<String> = Vec::new();
    for branch in branches {
        let [only] = &branch[..] else { return "fits none of the forms allowed".to_owned() };
        let text = match only.kind() {
            Kind::Type { kind } if only.instance_path().as_str().matches('/').count() <= 1 => types(kind),
            _ => {
                let text = allowed(only);
                text.strip_prefix("must be ").unwrap_or(&text).to_owned()
            }
        };
        if !wanted.contains(&text) {
            wanted.push(text);
        }
    }
    format!("must be {}", or(wanted.iter().map(String::as_str)))
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => type_words(one.as_str()).to_owned(),
        TypeKind::Multiple(set) => or(set.iter().map(|one: JsonType| type_words(one.as_str()))),
    }
}

fn type_words(json_type: &str) -> &'static str {
    match json_type {
        "integer" => "a whole number",
        "boolean" => "true or false",
        "number" => type_name(&Value::from(0)),
        "string" => type_name(&Value::from("")),
        "array" => "an array",
        "object" => "an object",
        _ => "null",
    }
}

fn plural(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Options as a person reads them: texts without quotes, at most twenty.
fn list(options: &[Value]) -> String {
    const MOST: usize = 20;
    let show = |option: &Value| match option {
        Value::String(text) if !text.is_empty() && !text.contains([',', ' ', '"']) => text.clone(),
        other => clipped(other),
    };
    let mut shown: Vec<String> = options.iter().take(MOST).map(show).collect();
    if options.len() > MOST {
        shown.push(format!("… ({} in all)", options.len()));
    }
    shown.join(", ")
}

fn or<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
