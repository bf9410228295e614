//! From JSON text to values, without losing digits.

use crate::value::describe_integer;
use serde::de::DeserializeOwned;

/// Reads JSON text. Each integer beyond 64 bits becomes its [description](crate::value::describe_integer): the reader
/// would round it to floating point without a word.
///
/// ```
/// let value: serde_json::Value = skills_core::json::read("[5, 123456789012345678901]").unwrap();
/// assert_eq!(value.to_string(), r#"[5,{"$type":"integer","repr":"123456789012345678901"}]"#);
/// ```
///
/// # Errors
/// What is wrong with the text, at its place in it.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    match with_described_integers(text) {
        None => serde_json::from_str(text),
        // A description is JSON where a number was, so only the places in it are other ones.
        Some(described) => {
            serde_json::from_str(&described).or_else(|error| serde_json::from_str::<T>(text).and(Err(error)))
        }
    }
}

/// The place after the string that begins at a quote.
pub fn end_of_string(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// The text with each integer beyond 64 bits replaced by its description; nothing where it has none.
fn with_described_integers(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let start = at;
                while at < bytes.len() && matches!(bytes[at], b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
                    at += 1;
                }
                let digits = &text[start..at];
                if is_big_integer(digits) {
                    out.push_str(&text[copied..start]);
                    out.push_str(&describe_integer(digits).to_string());
                    copied = at;
                }
            }
            _ => at += 1,
        }
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// Whether a text is an integer of JSON that 64 bits do not hold, with a sign or without.
pub fn is_big_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    !digits.is_empty() && is_integer && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::{Value, json};

    #[test]
    fn what_is_no_json_does_not_become_json() {
        for text in [
            "12345678901234567890-1",
            "00012345678901234567890",
            "--12345678901234567890",
            "[1 12345678901234567890123]",
        ] {
            assert!(read::<Value>(text).is_err(), "{text}");
        }
        let error = read::<Value>("{\"n\": 123456789012345678901234567890,}").unwrap_err();
        assert_eq!((error.line(), error.column()), (1, 38), "{error}");
    }

    #[test]
    fn only_integers_beyond_64_bits_are_described() {
        let text =
            r#"[18446744073709551616, -9223372036854775809, 18446744073709551615, 1e20, "99999999999999999999"]"#;
        let big = |repr: &str| json!({"$type": "integer", "repr": repr});
        let expected =
            json!([big("18446744073709551616"), big("-9223372036854775809"), u64::MAX, 1e20, "99999999999999999999"]);
        assert_eq!(read::<Value>(text).unwrap(), expected);
        let long = "9".repeat(500);
        assert_eq!(read::<Value>(&long).unwrap(), big(&long), "however many digits");
    }
}
