//! What a program printed, as a value.

use serde::Serialize;
use serde_json::Value;
use skills_core::value::{MAX_DEPTH, depth, describe_bytes};
use skills_core::{Breach, ErrorKind, Failure, LimitName};

/// What becomes of a program's standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputForm {
    /// A string, without the line breaks at its end.
    #[default]
    Text,
    /// The value that it is as JSON.
    Json,
    /// An array of its lines.
    Lines,
}

impl OutputForm {
    /// Whether it is what holds where a definition says nothing.
    pub fn is_text(&self) -> bool {
        *self == OutputForm::Text
    }

    /// The value of what `name` printed, at most `limit` bytes of compact JSON.
    ///
    /// # Errors
    /// `script_error` where it is not what was declared, `output_limit` where it is too large.
    pub fn value(self, name: &str, stdout: &[u8], limit: Option<u64>) -> Result<Value, Failure> {
        let value = match (self, std::str::from_utf8(stdout)) {
            (OutputForm::Text, Ok(text)) => Value::from(text.trim_end_matches(['\n', '\r'])),
            // Not lost, and not mistaken for text.
            (OutputForm::Text, Err(_)) => describe_bytes(stdout),
            (OutputForm::Lines, Ok(text)) => text.lines().map(Value::from).collect(),
            (OutputForm::Json, Ok(text)) => json(name, text)?,
            (_, Err(error)) => {
                let message = format!("the output of `{name}` is not UTF-8: byte {} is not", error.valid_up_to());
                return Err(Failure::new(ErrorKind::ScriptError, message)
                    .with_help("leave `output` out: bytes that are no text are described then"));
            }
        };
        let size = value.to_string().len() as u64;
        match limit.filter(|limit| size > *limit) {
            Some(limit) => Err(Failure::breach(Breach { name: LimitName::Result, limit, reading: size })),
            None => Ok(value),
        }
    }
}

fn json(name: &str, text: &str) -> Result<Value, Failure> {
    let wrong = |message: String, help: String| Failure::new(ErrorKind::ScriptError, message).with_help(help);
    if text.trim().is_empty() {
        let help = "the definition says `\"output\": \"json\"`: print one JSON value, or leave `output` out";
        return Err(wrong(format!("`{name}` printed nothing, where JSON is declared"), help.to_owned()));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let start: String = text.trim_start().chars().take(60).collect();
        let more = if text.trim_start().chars().nth(60).is_some() { "…" } else { "" };
        let help = format!("it begins with `{}{more}`", start.escape_debug());
        wrong(format!("the output of `{name}` is not JSON: {error}"), help)
    })?;
    if depth(&value) > MAX_DEPTH {
        let message = format!("the output of `{name}` is nested deeper than {MAX_DEPTH} levels");
        return Err(wrong(message, "print a flatter value".to_owned()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(form: OutputForm, stdout: &[u8]) -> Result<Value, Failure> {
        form.value("tool", stdout, Some(1000))
    }

    #[test]
    fn each_form_gives_its_value() {
        assert_eq!(value(OutputForm::Text, b" a\nb\r\n\n"), Ok(json!(" a\nb")));
        assert_eq!(value(OutputForm::Text, b""), Ok(json!("")));
        assert_eq!(value(OutputForm::Lines, b"a\r\nb\n"), Ok(json!(["a", "b"])));
        assert_eq!(value(OutputForm::Lines, b""), Ok(json!([])));
        assert_eq!(value(OutputForm::Json, b" {\"a\": [1.5]}\n"), Ok(json!({"a": [1.5]})));
    }

    #[test]
    fn what_is_not_what_was_declared_says_so() {
        let failure = value(OutputForm::Json, b"Traceback: oh").unwrap_err();
        assert!(failure.message.contains("`tool` is not JSON: expected value at line 1 column 1"), "{failure}");
        assert_eq!(failure.help.as_deref(), Some("it begins with `Traceback: oh`"));
        assert!(value(OutputForm::Json, b"\n").unwrap_err().message.contains("printed nothing"));
        assert!(value(OutputForm::Json, b"{} {}").unwrap_err().message.contains("trailing characters"));
        let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
        assert!(value(OutputForm::Json, deep.as_bytes()).unwrap_err().message.contains("nested deeper than 100"));
        for form in [OutputForm::Json, OutputForm::Lines] {
            let failure = value(form, b"ab\xff").unwrap_err();
            assert_eq!(failure.message, "the output of `tool` is not UTF-8: byte 2 is not");
        }
        assert_eq!(value(OutputForm::Text, b"ab\xff").unwrap()["length"], 3);
    }

    #[test]
    fn a_value_that_is_too_large_is_a_breach() {
        let failure = OutputForm::Text.value("tool", b"0123456789", Some(5)).unwrap_err();
        assert_eq!((failure.kind, failure.limit.unwrap().reading), (ErrorKind::OutputLimit, 12));
    }
}
