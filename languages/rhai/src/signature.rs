//! What a script says of its parameters, in the documentation comment of `run` or, without `run`, in the comment at its
//! top. The form is that of JSDoc:
//!
//! ```text
//! /// Repeats a word.
//! /// @param {string} word what to repeat
//! /// @param {integer} [times=2] how often
//! fn run(params) { … }
//! ```
//!
//! Types are `string`, `number` (or `float`), `integer` (or `int`), `boolean` (or `bool`), `array`, `object` (or `map`),
//! `any`, `T[]` for an array of them, and `"a"|"b"` for one of a few values. A name in brackets is optional; what
//! follows its `=` is the default, as JSON or as a bare word.

use crate::{engine, program};
use serde_json::{Value, json};
use skills_core::{ParameterSpec, Script, Signature};

/// The signature; nothing where the script does not parse.
pub(crate) fn infer(script: &Script) -> Option<Signature> {
    let ast = engine::parser().compile(&script.source).ok()?;
    let run = program::run_parameters(&ast);
    let comment = match &run {
        Some(_) => comment_above_run(&script.source),
        None => comment_at_top(&script.source),
    };
    let mut signature = parse(&comment);
    // `fn run(a, b)` names its parameters itself; the comment tells more of them.
    if let Some(names) = run.filter(|names| names.len() > 1) {
        let mut told = std::mem::take(&mut signature.parameters);
        signature.parameters = names
            .into_iter()
            .map(|name| match told.iter().position(|parameter| parameter.name == name) {
                Some(found) => told.swap_remove(found),
                None => ParameterSpec::any(name),
            })
            .collect();
    }
    Some(signature)
}

/// The lines of the comment right above `fn run`, without their marks.
fn comment_above_run(source: &str) -> Vec<&str> {
    let lines: Vec<&str> = source.lines().collect();
    let is_run = |line: &&str| {
        let line = line.trim_start();
        let line = line.strip_prefix("private ").unwrap_or(line).trim_start();
        line.strip_prefix("fn ").is_some_and(|rest| rest.trim_start().starts_with("run("))
            || line.strip_prefix("fn ").is_some_and(|rest| rest.trim_start().starts_with("run ("))
    };
    let Some(at) = lines.iter().position(is_run) else { return Vec::new() };
    let above = &lines[..at];
    if above.last().is_some_and(|line| line.trim_end().ends_with("*/")) {
        let Some(start) = above.iter().rposition(|line| line.trim_start().starts_with("/**")) else {
            return Vec::new();
        };
        return above[start..].iter().map(|line| unmark(line)).collect();
    }
    let count = above.iter().rev().take_while(|line| line.trim_start().starts_with("///")).count();
    above[at - count..].iter().map(|line| unmark(line)).collect()
}

/// The lines of the comment that a script begins with, without their marks.
fn comment_at_top(source: &str) -> Vec<&str> {
    let body = source.trim_start();
    if body.starts_with("/*") {
        let end = body.find("*/").unwrap_or(body.len());
        return body[..end].lines().map(unmark).collect();
    }
    body.lines().take_while(|line| line.trim_start().starts_with("//")).map(unmark).collect()
}

/// A line of a comment without what marks it as one.
pub(crate) fn unmark(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_suffix("*/").unwrap_or(line);
    for mark in ["///", "//!", "//", "/**", "/*!", "/*", "*"] {
        if let Some(rest) = line.strip_prefix(mark) {
            return rest.trim();
        }
    }
    line.trim()
}

fn parse(comment: &[&str]) -> Signature {
    let mut signature = Signature::default();
    let mut description = String::new();
    let mut paragraph_ended = false;
    let mut tag: Option<&'static str> = None;
    for line in comment {
        if let Some(rest) = line.strip_prefix("@param") {
            tag = Some("param");
            signature.parameters.extend(parameter(rest));
        } else if line.starts_with('@') {
            tag = Some("other");
        } else if tag == Some("param") && !line.is_empty() {
            // A description may go on in the next line.
            if let Some(about) = signature.parameters.last_mut().and_then(|p| p.description.as_mut()) {
                about.push(' ');
                about.push_str(line);
            }
        } else if tag.is_none() && line.is_empty() {
            paragraph_ended |= !description.is_empty();
        } else if tag.is_none() && !paragraph_ended {
            if !description.is_empty() {
                description.push(' ');
            }
            description.push_str(line);
        }
    }
    signature.description = Some(description).filter(|text| !text.is_empty());
    signature
}

/// What follows `@param`: `{type} name description`, `{type} [name=default] - description`.
fn parameter(text: &str) -> Option<ParameterSpec> {
    let text = text.trim_start();
    let (schema, text) = match text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((hint, rest)) => (schema(hint.trim()), rest.trim_start()),
        None => (json!({}), text),
    };
    let (name, default, about) = match text.strip_prefix('[') {
        Some(rest) => {
            let end = closing(rest)?;
            let (name, default) = match rest[..end].split_once('=') {
                Some((name, default)) => (name.trim(), Some(value(default.trim()))),
                None => (rest[..end].trim(), None),
            };
            (name, Some(default), &rest[end + 1..])
        }
        None => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            (&text[..end], None, &text[end..])
        }
    };
    let name = name.strip_prefix("params.").unwrap_or(name);
    if name.is_empty() {
        return None;
    }
    let about = about.trim().trim_start_matches(['-', ':', '–']).trim();
    Some(ParameterSpec {
        name: name.into(),
        schema,
        required: default.is_none(),
        default: default.flatten(),
        description: Some(about.to_owned()).filter(|about| !about.is_empty()),
    })
}

/// Where the bracket closes that a text begins inside of.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted && depth == 0 => return Some(at),
            ']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    None
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.trim_matches('\'').into()))
}

fn schema(hint: &str) -> Value {
    if let Some(items) = hint.strip_suffix("[]") {
        return json!({"type": "array", "items": schema(items.trim())});
    }
    if hint.contains('|') {
        let options: Vec<&str> = hint.split('|').map(str::trim).collect();
        let values: Option<Vec<Value>> = options.iter().map(|option| literal(option)).collect();
        return match values {
            Some(values) => json!({"enum": values}),
            None => json!({"anyOf": options.iter().map(|option| schema(option)).collect::<Vec<_>>()}),
        };
    }
    let name = match hint.to_ascii_lowercase().as_str() {
        "string" | "str" | "char" => "string",
        "number" | "float" => "number",
        "integer" | "int" => "integer",
        "boolean" | "bool" => "boolean",
        "array" | "list" => "array",
        "object" | "map" => "object",
        "null" | "()" => "null",
        _ => return json!({}),
    };
    json!({"type": name})
}

/// A value that is written out: a number, or a string in quotes.
fn literal(text: &str) -> Option<Value> {
    match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => Some(Value::String(inner.into())),
        None => serde_json::from_str(text).ok().filter(|value: &Value| value.is_string() || value.is_number()),
    }
}
