//! Expectations that stand in files: of bundled skills and of the conformance cases.

use serde_json::Value;
use skills::Outcome;

/// What a case expects, whichever way it says so; gives what is wrong.
pub(crate) fn unmet(expect: &Value, outcome: &Outcome) -> Option<String> {
    let shown = match &outcome.result {
        Ok(value) => format!("value {value}"),
        Err(error) => format!("error {}: {}", error.kind(), error.render(false)),
    };
    if let Some(expected) = expect.get("error") {
        let Err(error) = &outcome.result else { return Some(format!("expected an error, got {shown}")) };
        let kind = expected["kind"].as_str().unwrap();
        if error.kind().as_str() != kind {
            return Some(format!("expected the kind {kind}, got {shown}"));
        }
        for part in strings(expected.get("message_contains")) {
            if !error.render(false).contains(&part) {
                return Some(format!("expected a message with {part:?}, got {shown}"));
            }
        }
        if let Some(line) = expected.get("line").and_then(Value::as_u64) {
            let found = error.frames().first().map(|frame| u64::from(frame.line));
            if found != Some(line) {
                return Some(format!("expected line {line}, got {found:?} of {shown}"));
            }
        }
        return None;
    }
    let Ok(value) = &outcome.result else { return Some(format!("got {shown}")) };
    if let Some(expected) = expect.get("value") {
        let tolerance = expect.get("tolerance").and_then(Value::as_f64).unwrap_or(0.0);
        if !equal(expected, value, tolerance) {
            return Some(format!("expected {expected}, got {shown}"));
        }
    }
    if let Some(expected) = expect.get("value_contains")
        && !contains(value, expected, expect.get("tolerance").and_then(Value::as_f64).unwrap_or(0.0))
    {
        return Some(format!("expected at least {expected}, got {shown}"));
    }
    if let Some(pattern) = expect.get("matches").and_then(Value::as_str) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !regex::Regex::new(pattern).unwrap().is_match(&text) {
            return Some(format!("expected a match of {pattern}, got {shown}"));
        }
    }
    None
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Equality with numbers compared by value: `2` and `2.0` are the same in JavaScript.
fn equal(expected: &Value, found: &Value, tolerance: f64) -> bool {
    match (expected, found) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (a - b).abs() <= tolerance
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, tolerance))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b, tolerance)))
        }
        _ => expected == found,
    }
}

fn contains(found: &Value, part: &Value, tolerance: f64) -> bool {
    match (found, part) {
        (Value::Object(found), Value::Object(part)) => {
            part.iter().all(|(key, part)| found.get(key).is_some_and(|found| contains(found, part, tolerance)))
        }
        _ => equal(part, found, tolerance),
    }
}
