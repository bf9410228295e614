//! JSONPath's `match` and `search`, with their cost counted while a query runs.
//!
//! The crate's own compile their pattern for each value and search without a bound, and a query cannot be stopped from
//! outside. So a path is made to call these instead: they share their patterns, and after the first that would cost too
//! much they answer no, at once, until the query has ended and fails.
#![allow(clippy::unwrap_used, elided_lifetimes_in_paths, reason = "the macro writes it so")]

use super::path::skip_string;
use crate::bounds::Watch;
use crate::regex::Searches;
use serde_json::Value;
use serde_json_path::functions::{LogicalType, ValueType};
use skills_core::Failure;
use std::cell::RefCell;
use std::time::Instant;

/// The functions of the standard, and what a path is made to call instead: names of the same length, so that places in
/// a path stay what they are. Under names of their own they are nobody else's either: the crate has one list of
/// functions for the whole process.
const NAMES: [(&str, &str); 2] = [("match(", "own_m("), ("search(", "own_se(")];

struct Matching {
    searches: Searches,
    until: Instant,
    failure: Option<Failure>,
}

thread_local! {
    static MATCHING: RefCell<Option<Matching>> = const { RefCell::new(None) };
}

/// A path that calls the functions of this file.
pub(super) fn redirected(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let begins = !out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let own = NAMES.iter().find(|(name, _)| begins && path[at..].starts_with(name));
        if let Some((_, own)) = own {
            out.push_str(own);
        } else {
            if matches!(character, '"' | '\'') {
                skip_string(&mut rest, character);
            }
            let end = rest.peek().map_or(path.len(), |(next, _)| *next);
            out.push_str(&path[at..end]);
            continue;
        }
        while rest.next_if(|(next, _)| *next < out.len()).is_some() {}
    }
    out
}

/// A message about such a path, with the names that its writer knows.
pub(super) fn as_written(message: &str) -> String {
    NAMES.iter().fold(message.to_owned(), |message, (name, own)| {
        message.replace(own.trim_end_matches('('), name.trim_end_matches('('))
    })
}

/// Runs a query; fails where its patterns cost too much.
pub(super) fn within<T>(watch: &Watch<'_>, query: impl FnOnce() -> T) -> Result<T, Failure> {
    watch.check()?;
    let matching = Matching { searches: Searches::default(), until: watch.until(), failure: None };
    MATCHING.set(Some(matching));
    let result = query();
    let failure = MATCHING.take().and_then(|matching| matching.failure);
    watch.check()?;
    failure.map_or(Ok(result), Err)
}

#[serde_json_path::function(name = "own_m")]
fn whole(value: ValueType, pattern: ValueType) -> LogicalType {
    is_match(&value, &pattern, |pattern| format!("(?R)^(?:{pattern})$"))
}

#[serde_json_path::function(name = "own_se")]
fn anywhere(value: ValueType, pattern: ValueType) -> LogicalType {
    is_match(&value, &pattern, |pattern| format!("(?R)(?:{pattern})"))
}

fn is_match(value: &ValueType, pattern: &ValueType, wrap: impl FnOnce(&str) -> String) -> LogicalType {
    let (Some(value), Some(pattern)) =
        (value.as_value().and_then(Value::as_str), pattern.as_value().and_then(Value::as_str))
    else {
        return false.into();
    };
    let answer = MATCHING.with_borrow_mut(|matching| {
        let matching = matching.as_mut().filter(|matching| matching.failure.is_none())?;
        // What the run's time is up for, the query says once it has ended.
        if Instant::now() >= matching.until {
            return None;
        }
        matching.searches.is_match(&wrap(pattern), value).map_err(|failure| matching.failure = Some(failure)).ok()
    });
    answer.unwrap_or(false).into()
}
