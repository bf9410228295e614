//! What passes between languages: JSON values, and descriptions of what JSON cannot hold.
//!
//! A value that JSON has no form for (a function, a cycle, bytes, an integer beyond what the language keeps exactly)
//! becomes a *description*: an object whose `"$type"` names the type and whose `"repr"` shows it. NaN, infinity and
//! nesting deeper than [`MAX_DEPTH`] are errors that say where.

use crate::{Breach, ErrorKind, Failure, LimitName};
use base64::Engine as _;
use serde_json::{Map, Value};

/// How deep arrays and objects may nest in parameters, results and arguments. A bare number has depth 0, `[[]]` has 2.
///
/// It stays below the 128 levels that common JSON readers (serde_json among them) accept.
pub const MAX_DEPTH: usize = 100;

/// What each element of an array counts for on top of its text, in bytes, against the limit on a result: what holding it
/// takes.
pub const ELEMENT_COST: usize = size_of::<Value>();

/// The same for a member of an object: its value, its name, and its place in the table of names.
pub const MEMBER_COST: usize = ELEMENT_COST + size_of::<String>() + 24;

/// The longest `repr` of a description, in characters; what is longer is cut and ends in `…`.
pub const MAX_REPR: usize = 200;

/// A description of something that JSON cannot hold: `{"$type": type_name, "repr": …}`.
///
/// ```
/// let value = skills_core::value::describe("function", "<function area>");
/// assert_eq!(value.to_string(), r#"{"$type":"function","repr":"<function area>"}"#);
/// ```
pub fn describe(type_name: &str, repr: &str) -> Value {
    let mut map = Map::new();
    map.insert("$type".into(), Value::String(type_name.into()));
    map.insert("repr".into(), Value::String(clip(repr, MAX_REPR)));
    Value::Object(map)
}

/// The description of an integer that would lose digits: `repr` holds all of them, uncut.
pub fn describe_integer(digits: &str) -> Value {
    let mut map = Map::new();
    map.insert("$type".into(), Value::String("integer".into()));
    map.insert("repr".into(), Value::String(digits.into()));
    Value::Object(map)
}

/// The description of a text with halves of characters, which UTF-8 cannot hold: `repr` is all of it as JSON writes it,
/// each half as `\\uXXXX`.
pub fn describe_text(units: &[u16]) -> Value {
    let mut repr = String::from("\"");
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(c @ ('"' | '\\')) => repr.extend(['\\', c]),
            Ok(c) if c.is_control() => repr.push_str(&format!("\\u{:04x}", u32::from(c))),
            Ok(c) => repr.push(c),
            Err(half) => repr.push_str(&format!("\\u{:04x}", half.unpaired_surrogate())),
        }
    }
    repr.push('"');
    let mut map = Map::new();
    map.insert("$type".into(), Value::String("string".into()));
    map.insert("repr".into(), Value::String(repr));
    Value::Object(map)
}

/// The description of bytes: their number in `length` and all of them in `base64`.
pub fn describe_bytes(bytes: &[u8]) -> Value {
    let mut map = Map::new();
    map.insert("$type".into(), Value::String("bytes".into()));
    map.insert("length".into(), Value::from(bytes.len()));
    map.insert("base64".into(), Value::String(base64::engine::general_purpose::STANDARD.encode(bytes)));
    Value::Object(map)
}

/// The first description in a value, by the name of its type: what stands for something that the value does not hold.
/// Bytes and integers are all in theirs.
///
/// ```
/// # use skills_core::value::{describe, description_in};
/// let value = serde_json::json!({"areas": [1, describe("function", "<function area>")]});
/// assert_eq!(description_in(&value), Some("function"));
/// ```
pub fn description_in(value: &Value) -> Option<&str> {
    match value {
        Value::Array(items) => items.iter().find_map(description_in),
        Value::Object(members) => match (members.get("$type"), members.get("repr")) {
            (Some(Value::String(name)), Some(Value::String(_))) if members.len() == 2 && name != "integer" => {
                Some(name)
            }
            _ => members.values().find_map(description_in),
        },
        _ => None,
    }
}

fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Depth, size and place while a language's value is turned into JSON, so that a bound is met before the memory is
/// spent, and an error names the place: `result.items[3].price`.
#[derive(Debug)]
pub struct Meter {
    path: Vec<Step>,
    root: &'static str,
    size: u64,
    limit: Option<u64>,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Meter {
    /// A meter for a value that errors call `root` (`result`, `argument`), at most `limit` bytes: its text, and what holding it takes.
    pub fn new(root: &'static str, limit: Option<u64>) -> Meter {
        Meter { path: Vec::new(), root, size: 0, limit }
    }

    /// Counts bytes of compact JSON that are about to be made. On top, each element counts for [`ELEMENT_COST`] as it is
    /// entered, and each member for [`MEMBER_COST`]: a short one costs the host far more than its text.
    pub fn charge(&mut self, bytes: usize) -> Result<(), Failure> {
        self.size = self.size.saturating_add(bytes as u64);
        match self.limit {
            Some(limit) if self.size > limit => {
                Err(Failure::breach(Breach { name: LimitName::Result, limit, reading: self.size }))
            }
            _ => Ok(()),
        }
    }

    /// The bytes counted so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many elements may come, of that many: room for them can be made at once.
    pub fn capacity(&self, elements: usize) -> usize {
        let left = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.size));
        elements.min(usize::try_from(left / ELEMENT_COST as u64).unwrap_or(usize::MAX))
    }

    /// Goes into an element of an array.
    pub fn enter_index(&mut self, index: usize) -> Result<(), Failure> {
        self.check_inside()?;
        self.path.push(Step::Index(index));
        self.charge(ELEMENT_COST)
    }

    /// Goes into a member of an object.
    pub fn enter_key(&mut self, key: &str) -> Result<(), Failure> {
        self.check_inside()?;
        self.path.push(Step::Key(key.to_owned()));
        self.charge(MEMBER_COST)
    }

    /// Leaves what was entered last.
    pub fn leave(&mut self) {
        self.path.pop();
    }

    /// Fails where nothing can be entered any more: an empty container is a level too.
    pub fn check_inside(&self) -> Result<(), Failure> {
        if self.path.len() < MAX_DEPTH {
            return Ok(());
        }
        Err(Failure::new(ErrorKind::ScriptError, format!("the {} is nested deeper than {MAX_DEPTH} levels", self.root))
            .with_help("return a flatter value, or a string that holds JSON"))
    }

    /// The failure for a number that JSON has no form for; `shown` is how the language writes it (`nan`, `Infinity`).
    pub fn not_finite(&self, shown: &str) -> Failure {
        Failure::new(ErrorKind::ScriptError, format!("{} is {shown}, which JSON cannot hold", self.place()))
            .with_help("return null or a string instead")
    }

    /// The failure for a name of a member that has halves of characters.
    pub fn not_whole(&self) -> Failure {
        let message =
            format!("{} has a key with half a character (a lone surrogate), which JSON cannot hold", self.place());
        Failure::new(ErrorKind::ScriptError, message).with_help("use whole characters in keys")
    }

    /// Where the meter is, as a person writes it: `result.items[3]["unit price"]`.
    pub fn place(&self) -> String {
        let mut out = String::from(self.root);
        for step in &self.path {
            match step {
                Step::Index(index) => out.push_str(&format!("[{index}]")),
                Step::Key(key) if is_identifier(key) => {
                    out.push('.');
                    out.push_str(key);
                }
                Step::Key(key) => out.push_str(&format!("[{key:?}]")),
            }
        }
        out
    }
}

fn is_identifier(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// How deep a value nests, without recursion: 0 for a scalar.
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut open = vec![(value, 0)];
    while let Some((value, level)) = open.pop() {
        deepest = deepest.max(level);
        match value {
            Value::Array(items) => {
                deepest = deepest.max(level + 1);
                open.extend(items.iter().map(|item| (item, level + 1)));
            }
            Value::Object(map) => {
                deepest = deepest.max(level + 1);
                open.extend(map.values().map(|item| (item, level + 1)));
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_reads_like_source() {
        let mut meter = Meter::new("result", None);
        meter.enter_key("items").unwrap();
        meter.enter_index(3).unwrap();
        meter.enter_key("unit price").unwrap();
        assert_eq!(meter.not_finite("nan").message, r#"result.items[3]["unit price"] is nan, which JSON cannot hold"#);
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let mut meter = Meter::new("result", Some((MAX_DEPTH * ELEMENT_COST) as u64 + 10));
        for i in 0..MAX_DEPTH {
            meter.enter_index(i).unwrap();
        }
        assert!(meter.enter_index(0).unwrap_err().message.contains("deeper than 100"));
        assert!(meter.charge(10).is_ok());
        assert_eq!(meter.charge(1).unwrap_err().limit.unwrap().reading, (MAX_DEPTH * ELEMENT_COST) as u64 + 11);
    }

    #[test]
    fn depth_counts_levels() {
        assert_eq!(depth(&json!(1)), 0);
        assert_eq!(depth(&json!([])), 1);
        assert_eq!(depth(&json!([{"a": [1]}])), 3);
    }

    #[test]
    fn a_text_with_halves_of_characters_is_described_as_json_writes_it() {
        let units: Vec<u16> = "a\"\\\n😀".encode_utf16().chain([0xd800]).collect();
        assert_eq!(describe_text(&units), json!({"$type": "string", "repr": r#""a\"\\\u000a😀\ud800""#}));
    }

    #[test]
    fn a_long_repr_is_cut() {
        let value = describe("function", &"é".repeat(300));
        assert_eq!(value["repr"].as_str().unwrap().chars().count(), MAX_REPR + 1);
    }
}
