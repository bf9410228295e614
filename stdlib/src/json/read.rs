//! From JSON text to a value, without losing digits.

use crate::bounds::Tally;
use crate::define::invalid;
use serde_json::Value;
use skills_core::{
    Budget, Failure, json,
    value::{MAX_DEPTH, depth},
};

/// The value of JSON text.
pub(super) fn parse(budget: &Budget, text: &str) -> Result<Value, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    count(&mut Tally::of(budget), text)?;
    let value: Value = json::read(text).map_err(|error| failure(text, &error))?;
    match depth(&value) > MAX_DEPTH {
        true => Err(too_deep()),
        false => Ok(value),
    }
}

/// Counts what the values of a text will take: one a comma and one a bracket, with room for four in each container.
fn count(tally: &mut Tally<'_>, text: &str) -> Result<(), Failure> {
    const ROOM: usize = 4;
    let bytes = text.as_bytes();
    let (mut values, mut entries, mut spare) = (1, 0, 0);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = json::end_of_string(bytes, at);
                continue;
            }
            b',' => values += 1,
            b':' => entries += 1,
            b'[' | b'{' => {
                values += 1;
                spare += ROOM;
            }
            _ => {}
        }
        at += 1;
    }
    tally.add_values(values, text.len())?;
    tally.add_entries(entries)?;
    tally.add_room(spare)
}

fn too_deep() -> Failure {
    invalid(format!("the text is nested deeper than {MAX_DEPTH} levels"))
}

fn failure(text: &str, error: &serde_json::Error) -> Failure {
    let message = error.to_string();
    if message.starts_with("recursion limit") {
        return too_deep();
    }
    let reason = message.split(" at line ").next().unwrap_or(&message).to_owned();
    let (line, column) = (error.line(), error.column());
    let failure = invalid(format!("the text is not JSON: {reason} at line {line}, column {column}"));
    let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    match source.as_bytes().get(column.saturating_sub(1)) {
        Some(b'/') => failure.with_help("JSON has no comments: take them out first"),
        Some(b'\'') => failure.with_help("JSON strings stand in double quotes"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::Value;
    use proptest::prelude::*;
    use serde_json::json;
    use skills_core::{Budget, ErrorKind, Failure, LimitName, Limits};

    fn parse(text: &str) -> Result<Value, Failure> {
        super::parse(&Budget::new(Limits::none()), text)
    }

    #[test]
    fn big_integers_keep_their_digits() {
        let value =
            parse(r#"{"a": 123456789012345678901234567890, "s": "99999999999999999999\"", "f": 1e20, "b": -5}"#);
        assert_eq!(
            value.unwrap(),
            json!({
                "a": {"$type": "integer", "repr": "123456789012345678901234567890"},
                "s": "99999999999999999999\"", "f": 1e20, "b": -5,
            })
        );
        assert_eq!(parse("18446744073709551615").unwrap(), json!(u64::MAX));
        assert_eq!(parse("-9223372036854775809").unwrap()["repr"], json!("-9223372036854775809"));
    }

    #[test]
    fn mistakes_are_named_by_place() {
        let failure = parse("{\n  \"a\": 1,\n}").unwrap_err();
        assert_eq!(failure.message, "the text is not JSON: trailing comma at line 3, column 1");
        assert!(parse("{'a': 1}").unwrap_err().help.unwrap().contains("double quotes"));
        assert!(parse("// x\n1").unwrap_err().help.unwrap().contains("no comments"));
        assert!(parse("1e999").unwrap_err().message.contains("number out of range"));
        assert!(parse("NaN").is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(&nested(100)).is_ok());
        for levels in [101, 127, 128, 100_000] {
            assert_eq!(parse(&nested(levels)).unwrap_err().message, "the text is nested deeper than 100 levels");
        }
    }

    #[test]
    fn text_that_would_take_too_much_memory_is_not_read() {
        for text in [format!("[{}0]", "0,".repeat(4 << 20)), format!("[{}0]", "[],".repeat(3 << 20))] {
            assert_eq!(parse(&text).unwrap_err().kind, ErrorKind::OutputLimit);
        }
    }

    #[test]
    fn a_text_that_multiplies_is_held_against_the_memory_of_the_run() {
        let nested = format!("[{}0]", "[1],".repeat(100_000));
        let members = format!("[{}0]", r#"{"a":1},"#.repeat(50_000));
        for text in [nested, members] {
            let budget = Budget::new(Limits { memory: Some(16 << 20), ..Limits::none() });
            let failure = super::parse(&budget, &text).unwrap_err();
            assert_eq!(failure.limit.unwrap().name, LimitName::Memory);
            assert!(budget.verdict().is_some());
            assert!(parse(&text).is_ok());
        }
        let budget = Budget::new(Limits { memory: Some(4 << 20), ..Limits::none() });
        assert!(super::parse(&budget, &json!([",:[{".repeat(100_000)]).to_string()).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{}\":,0-9eE.+ \\\\a-]{0,60}") {
            let plain = serde_json::from_str::<Value>(&text);
            prop_assert_eq!(parse(&text).is_ok(), plain.is_ok());
        }
    }
}
