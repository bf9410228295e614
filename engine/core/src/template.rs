//! Templates with `{name}` placeholders: the one place that says what a brace means.
//!
//! | written | stands for |
//! |---|---|
//! | `{name}` | the value of the parameter |
//! | `{{name}}` | the text `{name}` |
//! | `{{{name}}}` | the value between braces: around a parameter's name, two braces make one |
//! | any other brace | itself |
//!
//! A name has 1 to [`MAX_NAME`] letters, digits, `_`, `-` and `.`, without blanks around it. Braces mean something only
//! around the name of a parameter, so `{"a": {"b": 1}}`, `{}`, `}}` and `{other}` stay exactly as they are written. Braces
//! without a partner are text as well: `{{name}` is a brace and the value.
//!
//! Reading is one pass that never goes back, whatever the braces: its time is linear in the length of the text.

use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// The longest name of a parameter, in characters.
pub const MAX_NAME: usize = 64;

/// A part of a template; together they are the template.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part<'a> {
    /// Text without meaning, whatever the parameters are.
    Text(&'a str),
    /// A name in braces, which has a meaning where it is that of a parameter, and is text elsewhere.
    Braced(Braced<'a>),
}

/// A name with all the braces directly around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Braced<'a> {
    /// The name and its braces.
    pub written: &'a str,
    /// The name.
    pub name: &'a str,
    open: usize,
    close: usize,
}

impl<'a> Braced<'a> {
    /// The name in braces that a text starts with.
    pub fn at(text: &'a str) -> Option<Braced<'a>> {
        let open = run(text, b'{');
        let inside = text.get(open..).filter(|_| open > 0)?;
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        // One more than the longest name: that one has to be the brace.
        let (length, _) = inside.char_indices().take(MAX_NAME + 1).find(|(_, c)| !is_part(*c))?;
        let (name, after) = inside.split_at(length);
        let close = run(after, b'}');
        let written = &text[..open + length + close];
        (length > 0 && close > 0).then_some(Braced { written, name, open, close })
    }

    /// Whether a value stands here, if the name is that of a parameter; otherwise it is escaped.
    pub fn is_placeholder(&self) -> bool {
        self.pairs() % 2 == 1
    }

    /// What it means where the name is that of a parameter: the text before the value, whether there is a value, and
    /// the text after it.
    pub fn meaning(&self) -> (&'a str, bool, &'a str) {
        let half = self.pairs() - self.pairs() / 2;
        let length = self.written.len();
        if self.is_placeholder() {
            (&self.written[..self.open - half], true, &self.written[length - (self.close - half)..])
        } else {
            (&self.written[half..length - half], false, "")
        }
    }

    /// How many braces have a partner on the other side.
    fn pairs(&self) -> usize {
        self.open.min(self.close)
    }
}

/// How many of a byte a text starts with.
fn run(text: &str, byte: u8) -> usize {
    text.bytes().take_while(|own| *own == byte).count()
}

/// The parts of a template, in order.
pub fn parts(template: &str) -> Parts<'_> {
    Parts { rest: template }
}

/// The parts of a template that have not been read.
#[derive(Debug)]
pub struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let mut plain = 0;
        while let Some(found) = self.rest[plain..].find('{') {
            plain += found;
            match Braced::at(&self.rest[plain..]) {
                // What stands before it is a part of its own; then it is read again.
                Some(_) if plain > 0 => return Some(self.text(plain)),
                Some(braced) => {
                    self.rest = &self.rest[braced.written.len()..];
                    return Some(Part::Braced(braced));
                }
                // All of a run at once: the braces after the first are no other beginning of a name.
                None => plain += run(&self.rest[plain..], b'{'),
            }
        }
        (!self.rest.is_empty()).then(|| self.text(self.rest.len()))
    }
}

impl<'a> Parts<'a> {
    fn text(&mut self, length: usize) -> Part<'a> {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        Part::Text(text)
    }
}

/// The names that stand for values where they are parameters', in order; one that is used twice is here twice.
pub fn names(template: &str) -> impl Iterator<Item = &str> {
    parts(template).filter_map(|part| match part {
        Part::Braced(braced) if braced.is_placeholder() => Some(braced.name),
        _ => None,
    })
}

/// The template that stands for a text: with no more and no fewer braces than a parameter's name in braces needs.
pub fn escape(text: &str, is_parameter: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Braced(braced) if is_parameter(braced.name) => {
                out.extend(std::iter::repeat_n('{', braced.pairs()));
                out.push_str(braced.written);
                out.extend(std::iter::repeat_n('}', braced.pairs()));
            }
            Part::Braced(Braced { written: text, .. }) | Part::Text(text) => out.push_str(text),
        }
    }
    out
}

/// A part of a template whose parameters are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text, which may be empty.
    Text(&'a str),
    /// The value of a parameter, by its name.
    Value(&'a str),
}

/// The parts of a template, where it is known which names are parameters.
pub fn pieces<'a>(template: &'a str, is_parameter: impl Fn(&str) -> bool) -> impl Iterator<Item = Piece<'a>> {
    parts(template).flat_map(move |part| match part {
        Part::Braced(braced) if is_parameter(braced.name) => {
            let (before, value, after) = braced.meaning();
            let value = if value { Piece::Value(braced.name) } else { Piece::Text("") };
            [Piece::Text(before), value, Piece::Text(after)]
        }
        Part::Braced(Braced { written: text, .. }) | Part::Text(text) => {
            [Piece::Text(text), Piece::Text(""), Piece::Text("")]
        }
    })
}

/// Fills a template in: each placeholder of a parameter becomes its argument (a string as it is, anything else as JSON,
/// a missing one as nothing). What a value contains is never looked at again. Every argument counts as a parameter, and
/// so does every name that `is_parameter` knows.
///
/// # Errors
/// The size that would have been reached, in bytes of compact JSON, where that is more than `most`. It is found out before
/// any of the text is made.
pub fn fill(
    template: &str,
    arguments: &Map<String, Value>,
    is_parameter: impl Fn(&str) -> bool,
    most: Option<u64>,
) -> Result<String, u64> {
    let known = |name: &str| arguments.contains_key(name) || is_parameter(name);
    // Each once, however often it is used: together they are about as large as the arguments are.
    let mut shown: HashMap<&str, String> = HashMap::new();
    let (mut length, mut size) = (0, 2_u64);
    // The quotes alone may be too much.
    for piece in std::iter::once(Piece::Text("")).chain(pieces(template, known)) {
        let text = match piece {
            Piece::Text(text) => text,
            Piece::Value(name) => match arguments.get(name) {
                Some(Value::String(text)) => text,
                Some(Value::Null) | None => "",
                Some(value) => shown.entry(name).or_insert_with(|| value.to_string()),
            },
        };
        length += text.len();
        size = size.saturating_add(json_length(text));
        if most.is_some_and(|most| size > most) {
            return Err(size);
        }
    }
    let mut out = String::with_capacity(length);
    for piece in pieces(template, known) {
        out.push_str(match piece {
            Piece::Text(text) => text,
            Piece::Value(name) => match arguments.get(name) {
                Some(Value::String(text)) => text,
                _ => shown.get(name).map_or("", String::as_str),
            },
        });
    }
    Ok(out)
}

/// What stands for a value: a string as it is, anything else as JSON, `null` and what is missing as nothing.
pub fn shown(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(Value::Null) | None => Cow::Borrowed(""),
        Some(value) => Cow::Owned(value.to_string()),
    }
}

/// The length of a text in JSON, in bytes, without its quotes.
fn json_length(text: &str) -> u64 {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(template: &str) -> String {
        let arguments = json!({"name": "{evil} {name}", "n": 3, "list": [1], "null": null});
        fill(template, arguments.as_object().unwrap(), |name| name == "absent", None).unwrap()
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        assert_eq!(filled("hi {name}"), "hi {evil} {name}");
    }

    #[test]
    fn a_parameter_becomes_its_argument() {
        assert_eq!(filled("{n}{list}[{absent}][{null}]"), "3[1][][]");
        assert_eq!(filled("{\"n\": {n}}"), "{\"n\": 3}");
    }

    #[test]
    fn around_a_parameter_two_braces_make_one() {
        for (template, text) in [
            ("{{n}}", "{n}"),
            ("{{{n}}}", "{3}"),
            ("{{{{n}}}}", "{{n}}"),
            ("{{{{{n}}}}}", "{{3}}"),
            // Those without a partner are text.
            ("{{n}", "{3"),
            ("{n}}", "3}"),
            ("{{n}}}", "{n}}"),
            ("{{{n}}", "{{n}"),
        ] {
            assert_eq!(filled(template), text, "{template}");
        }
    }

    #[test]
    fn every_other_brace_stays() {
        for text in [
            r#"{"a": {"b": 1}}"#,
            "{}",
            "{{}}",
            "}}",
            "{{",
            "{other} {{other}} {{context.a}}",
            "{ n } {n {n",
            "fn() { } }",
            "{n{",
            "{}n}",
        ] {
            assert_eq!(filled(text), text);
        }
    }

    #[test]
    fn a_name_has_a_bound() {
        for (length, value) in [(MAX_NAME, true), (MAX_NAME + 1, false)] {
            let name = "ä".repeat(length);
            let template = format!("{{{name}}}");
            let text = fill(&template, &Map::new(), |_| true, None).unwrap();
            assert_eq!(text, if value { "" } else { &template });
        }
        assert_eq!(fill("{a.b-c_1}", &Map::new(), |_| true, None).unwrap(), "");
    }

    #[test]
    fn the_size_is_bounded_as_json_before_any_text_is_made() {
        let arguments = json!({"x": "\n\u{1}é", "list": ["a"]});
        let arguments = arguments.as_object().unwrap();
        let fill = |template: &str, most| fill(template, arguments, |_| false, Some(most));
        for template in ["{x}", "a\"{x}{{x}}{list}", ""] {
            let text = fill(template, u64::MAX).unwrap();
            let size = u64::try_from(Value::from(text.clone()).to_string().len()).unwrap();
            assert_eq!(fill(template, size), Ok(text));
            assert_eq!(fill(template, size - 1), Err(size), "{template}");
        }
        // Petabytes, were they made: the first value too many ends it.
        let large = json!({"x": "y".repeat(1 << 20)});
        let template = "{x}".repeat(1 << 20);
        let reading = super::fill(&template, large.as_object().unwrap(), |_| false, Some(16 << 20)).unwrap_err();
        assert!((16 << 20..18 << 20).contains(&reading), "{reading}");
    }

    #[test]
    fn names_are_those_that_stand_for_values() {
        let found: Vec<&str> = names("{a} {{b}} {{{c}}} {d}} {a} { e } {f").collect();
        assert_eq!(found, ["a", "c", "d", "a"]);
    }

    /// Braces that are never closed, half a megabyte of them: reading one must not look at all that follow.
    #[test]
    fn unclosed_braces_are_read_once() {
        for unit in ["{a", "{", "{{a", "}", "{a}{{", "{a}}"] {
            let text = unit.repeat(500_000 / unit.len());
            assert_eq!(fill(&text, &Map::new(), |_| false, None).unwrap(), text);
            assert_eq!(escape(&text, |_| false), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn text_without_parameters_is_returned_unchanged(text in r#"([{}a"x:. é-]|\{a\}|\PC){0,40}"#) {
            let is_parameter = |name: &str| name == "b";
            proptest::prop_assert_eq!(fill(&text, &Map::new(), is_parameter, None).unwrap(), text.as_str());
            proptest::prop_assert_eq!(escape(&text, is_parameter), text);
        }

        #[test]
        fn an_escaped_text_stands_for_itself(text in "([{}ax ]|\\{a\\}){0,24}") {
            let is_parameter = |name: &str| name == "a";
            let template = escape(&text, is_parameter);
            proptest::prop_assert_eq!(fill(&template, &Map::new(), is_parameter, None).unwrap(), text);
        }

        #[test]
        fn the_parts_are_the_template(text in "[{}ax ]{0,24}") {
            let written = |part| match part {
                Part::Text(text) => text,
                Part::Braced(braced) => braced.written,
            };
            proptest::prop_assert_eq!(parts(&text).map(written).collect::<String>(), text);
        }
    }
}
