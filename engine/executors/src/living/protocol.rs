//! How a program that stays is asked, and where its answer ends.

use regex::bytes::{Regex, RegexBuilder};
use serde::{Serialize, Serializer};

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 1000;

/// The most memory that a compiled pattern may take, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// What stands for the request in what is sent with a marker, as it is.
pub(crate) const INPUT: &str = "input";
/// The same as a string of JSON, which Python and JavaScript read as well.
pub(crate) const INPUT_JSON: &str = "input_json";
/// The same as one word of a shell.
pub(crate) const INPUT_SHELL: &str = "input_shell";
/// What the program is to print behind its answer.
pub(crate) const MARKER: &str = "marker";

/// How a request is put to a program that stays, and how the end of its answer is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Protocol {
    /// One line in, one line out.
    Lines {
        /// A line with which it says that it is ready; all up to it is no answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        ready: Option<Pattern>,
    },
    /// A JSON value a line, both ways: the parameters in, the value out.
    JsonLines {
        /// As for lines.
        #[serde(skip_serializing_if = "Option::is_none")]
        ready: Option<Pattern>,
    },
    /// Each line of the request is answered with all that comes before the next prompt.
    Prompt {
        /// The prompt: it ends the output, and is expected at the start as well.
        prompt: Pattern,
        /// Whether the program writes each line back before it answers.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        echo: bool,
    },
    /// The request goes along with what makes the program print a marker, a random word, behind the answer.
    Marker {
        /// What is sent: `{input}` (or `{input_json}`, `{input_shell}`) is the request, `{marker}` the marker. A number that the
        /// program prints behind that is a status: other than 0, the request has failed.
        send: String,
    },
}

impl Protocol {
    /// Its name in definitions.
    pub fn name(&self) -> &'static str {
        match self {
            Protocol::Lines { .. } => "lines",
            Protocol::JsonLines { .. } => "json-lines",
            Protocol::Prompt { .. } => "prompt",
            Protocol::Marker { .. } => "marker",
        }
    }

    /// Whether a request is all of the parameters, rather than a text.
    pub fn takes_parameters(&self) -> bool {
        matches!(self, Protocol::JsonLines { .. })
    }

    /// Why a template cannot be what is sent with a marker.
    pub fn marker_problem(send: &str) -> Option<&'static str> {
        let names = || skills_core::template::names(send);
        if names().filter(|name| *name == MARKER).count() != 1 {
            return Some("has to have `{marker}` once, where the program prints it");
        }
        if !names().any(|name| [INPUT, INPUT_JSON, INPUT_SHELL].contains(&name)) {
            return Some("has to have `{input}`, `{input_json}` or `{input_shell}`, the request");
        }
        None
    }
}

/// A regular expression that was checked.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Regex,
    /// At the end of what was written, at the start of a line.
    line: Regex,
    /// At the end of what was written, anywhere.
    end: Regex,
}

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    /// Why it cannot be used, for a person.
    pub fn new(text: &str) -> Result<Pattern, String> {
        if text.len() > MAX_PATTERN {
            return Err(format!("it has more than {MAX_PATTERN} bytes"));
        }
        let build = |pattern: &str| {
            let built = RegexBuilder::new(pattern).multi_line(true).size_limit(MAX_COMPILED).build();
            built.map_err(|error| error.to_string())
        };
        // By itself first, so that what is wrong with it is said of what was written.
        let plain = build(text)?;
        if plain.is_match(b"") {
            return Err("it matches where nothing is".to_owned());
        }
        let line = build(&format!(r"^(?:{text})[ \t]*(?:\r?\n)?\z"))?;
        let end = build(&format!(r"(?:{text})[ \t]*\z"))?;
        Ok(Pattern { text: plain, line, end })
    }

    /// Where what ends an output begins, if that is it.
    pub(super) fn at_end(&self, output: &[u8]) -> Option<usize> {
        self.line.find(output).or_else(|| self.end.find(output)).map(|found| found.start())
    }

    /// Whether a line, without its end, has it.
    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        self.text.is_match(line)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text.as_str() == other.text.as_str()
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.as_str().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_bounded_and_matches_something() {
        for (pattern, why) in [
            ("(", "unclosed group"),
            ("(?:a{500}){500}", "size limit"),
            ("x*", "matches where nothing is"),
            (&"x".repeat(1001), "more than 1000 bytes"),
        ] {
            let error = Pattern::new(pattern).unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }

    #[test]
    fn a_prompt_ends_the_output() {
        assert_eq!(Pattern::new("^> ").unwrap().at_end(b"1\n> "), Some(2));
        assert_eq!(Pattern::new("^> ").unwrap().at_end(b"1 > "), None);
        let prompt = Pattern::new("[a-z]+> ?").unwrap();
        for (output, at) in [
            ("1\ndb> ", Some(2)),
            ("db>", Some(0)),
            ("1\r\ndb> \r\n", Some(3)),
            ("42 db> ", Some(3)),
            ("1\ndb> 2", None),
            ("1\ndb> \n2", None),
            ("42 db> \n", None),
        ] {
            assert_eq!(prompt.at_end(output.as_bytes()), at, "{output:?}");
        }
    }

    #[test]
    fn what_is_sent_with_a_marker_has_both() {
        assert_eq!(Protocol::marker_problem("{input}\nprint('{marker}')\n"), None);
        assert!(Protocol::marker_problem("{input}\n").unwrap().contains("{marker}"));
        assert!(Protocol::marker_problem("{marker}{marker}{input}").unwrap().contains("once"));
        assert!(Protocol::marker_problem("{marker}").unwrap().contains("{input}"));
    }
}
