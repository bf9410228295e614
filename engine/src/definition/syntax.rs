//! JSON with comments to a tree of nodes. Trailing commas are allowed too; nothing else that JSON does not have is.

use crate::definition::codes;
use crate::definition::node::{Data, Member, Node, Span};
use crate::definition::sink::Sink;
use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use std::collections::HashMap;

/// How deep a definition may nest. Everything that walks a tree recurses, so this is what keeps the stack safe.
pub(crate) const MAX_DEPTH: usize = 100;

/// What a text editor may put before the first character.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The tree of a text; `None` after a problem that leaves nothing to look at, which has been reported.
pub(crate) fn parse(sink: &mut Sink) -> Option<Node> {
    let text = sink.text().clone();
    if let Some(at) = too_deep(&text) {
        let message = format!("the file nests deeper than {MAX_DEPTH} levels");
        sink.error(codes::TOO_DEEP, &(at..at + 1), message, "a definition needs about six levels: flatten it");
        return None;
    }
    let offset = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let parsed = match parse_to_ast(&text[offset..], &CollectOptions::default(), &OPTIONS) {
        Ok(parsed) => parsed,
        Err(error) => {
            let span = point(&text, error.range().start + offset, error.range().end + offset);
            let (message, help) = explain(error.kind(), text.get(span.clone()).unwrap_or(""));
            sink.error(codes::SYNTAX, &span, message, help);
            return None;
        }
    };
    let Some(value) = parsed.value else {
        sink.error(codes::SYNTAX, &(0..0), "the file is empty", "write a definition: `skills create NAME` makes one");
        return None;
    };
    Some(Converter { sink, offset }.node(&value))
}

const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    // Read, so that a limit of NaN can be told from a misspelt word; the converter reports every one.
    allow_non_finite_numbers: true,
    allow_extended_string_escapes: false,
};

struct Converter<'s> {
    sink: &'s mut Sink,
    offset: usize,
}

impl Converter<'_> {
    fn span(&self, ranged: &impl Ranged) -> Span {
        let range = ranged.range();
        range.start + self.offset..range.end + self.offset
    }

    fn node(&mut self, value: &Value<'_>) -> Node {
        let span = self.span(value);
        let data = match value {
            Value::NullKeyword(_) => Data::Null,
            Value::BooleanLit(literal) => Data::Bool(literal.value),
            Value::StringLit(literal) => {
                self.check_string(&span);
                Data::String(literal.value.clone().into_owned())
            }
            Value::NumberLit(literal) => {
                self.check_number(literal.value, &span);
                Data::Number(literal.value.to_owned())
            }
            Value::Array(array) => Data::Array(array.elements.iter().map(|item| self.node(item)).collect()),
            Value::Object(object) => Data::Object(self.members(object)),
        };
        Node { span, data }
    }

    fn members(&mut self, object: &jsonc_parser::ast::Object<'_>) -> Vec<Member> {
        let mut lines: HashMap<&str, usize> = HashMap::with_capacity(object.properties.len());
        let mut members = Vec::with_capacity(object.properties.len());
        for property in &object.properties {
            let (key, key_span) = match &property.name {
                ObjectPropName::String(literal) => (literal.value.as_ref(), self.span(literal)),
                ObjectPropName::Word(literal) => (literal.value, self.span(literal)),
            };
            let value = self.node(&property.value);
            match lines.get(key) {
                Some(&first) => {
                    let line = self.sink.text()[..first].matches('\n').count() + 1;
                    let help = format!("remove one of the two: the first is on line {line}");
                    let message = format!("the key `{key}` stands twice in this object");
                    self.sink.error(codes::DUPLICATE_KEY, &key_span, message, help);
                }
                None => {
                    lines.insert(key, key_span.start);
                    members.push(Member { key: key.to_owned(), key_span, value });
                }
            }
        }
        members
    }

    /// The parser lets a string run over several lines, which no other reader of JSON does.
    fn check_string(&mut self, span: &Span) {
        let written = &self.sink.text()[span.clone()];
        let Some(at) = written.find(|c: char| c < ' ') else { return };
        let what = if written[at..].starts_with('\t') { "a tab" } else { "a line break" };
        let help = "write `\\n` for a line break and `\\t` for a tab";
        let span = span.start..span.start + at;
        self.sink.error(codes::SYNTAX, &span, format!("this text has {what} in it, which JSON does not allow"), help);
    }

    fn check_number(&mut self, text: &str, span: &Span) {
        if text.parse::<f64>().is_ok_and(f64::is_finite) {
            return;
        }
        let message = format!("{text} is not a number that JSON can hold");
        self.sink.error(codes::NOT_A_JSON_NUMBER, span, message, "write a finite number, such as 30");
    }
}

/// Whether the text has comments.
pub(crate) fn has_comments(text: &str) -> bool {
    let mut rest = text.bytes().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => {
                while let Some(inner) = rest.next() {
                    match inner {
                        b'\\' => drop(rest.next()),
                        b'"' | b'\n' => break,
                        _ => {}
                    }
                }
            }
            b'/' if matches!(rest.peek(), Some(b'/' | b'*')) => return true,
            _ => {}
        }
    }
    false
}

/// Where the text first opens one level too many, if it does. Counts brackets outside of strings and comments.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                at += 1;
                while let Some(&inner) = bytes.get(at) {
                    match inner {
                        b'\\' => at += 1,
                        b'"' | b'\n' => break,
                        _ => {}
                    }
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while bytes.get(at).is_some_and(|&b| b != b'\n') {
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += 2;
                while at < bytes.len() && !(bytes[at] == b'*' && bytes.get(at + 1) == Some(&b'/')) {
                    at += 1;
                }
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a complaint points to: the first line of its range that says something.
fn point(text: &str, start: usize, end: usize) -> Span {
    let range = text.get(start..end).unwrap_or("");
    let shown = range.trim_start();
    let start = start + range.len() - shown.len();
    let shown = shown.lines().next().unwrap_or("").trim_end();
    start..start + shown.len().max(1)
}

/// The parser's complaint in a person's words, with what to write instead.
fn explain(kind: &ParseErrorKind, found: &str) -> (String, &'static str) {
    use ParseErrorKind as K;
    let found = found.trim();
    let (message, help) = match kind {
        K::ExpectedComma => ("a comma is missing before this", "write `,` between two members"),
        K::ExpectedColonAfterObjectKey => ("a colon is missing after the key", "write `\"key\": value`"),
        K::ExpectedObjectValue => ("the key has no value", "write a value after the colon, or remove the key"),
        K::ExpectedStringObjectProperty => ("a key has to be in double quotes", "write `\"key\": value`"),
        K::MultipleRootJsonValues => {
            ("there is more text after the end of the definition", "remove what follows, or a closing bracket too many")
        }
        K::SingleQuotedStringsNotAllowed => ("a text has to be in double quotes", "replace `'` by `\"`"),
        K::HexadecimalNumbersNotAllowed => ("a hexadecimal number is not JSON", "write the number in decimal"),
        K::UnaryPlusNumbersNotAllowed => ("a number cannot begin with `+`", "write it without the `+`"),
        K::BareDecimalPointNumbersNotAllowed => {
            ("a number needs digits on both sides of its point", "write 0.5, not .5")
        }
        K::ExpectedDigit | K::ExpectedDigitFollowingNegativeSign | K::ExpectedPlusMinusOrDigitInNumberLiteral => {
            ("this is not a number", "write digits, such as 30 or -1.5")
        }
        K::String(_) => (
            "this text is not a JSON string",
            "end it with `\"`; write `\\n` for a line break and `\\\\` for a backslash",
        ),
        K::UnterminatedArray => ("the array is never closed", "write the missing `]`"),
        K::UnterminatedObject => ("the object is never closed", "write the missing `}`"),
        K::UnterminatedCommentBlock => ("the comment is never closed", "write the missing `*/`"),
        K::UnexpectedCloseBrace | K::UnexpectedCloseBracket => {
            ("a closing bracket without an opening one", "remove it")
        }
        K::UnexpectedColon => ("a colon where a value has to be", "remove it, or put a key in front of it"),
        K::UnexpectedComma => ("a comma where a value has to be", "remove it"),
        _ if !found.is_empty() && found.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            let message = format!("`{found}` is not JSON");
            return (message, "write a text in double quotes, a number, true, false or null");
        }
        _ => ("this is not JSON", "write a text in double quotes, a number, true, false, null, `[…]` or `{…}`"),
    };
    (message.to_owned(), help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn read(text: &str) -> (Option<Node>, Vec<crate::Diagnostic>) {
        let text: Arc<str> = text.into();
        let mut sink = Sink::new("a.json", &text);
        let node = parse(&mut sink);
        (node, sink.finish())
    }

    #[test]
    fn every_node_knows_its_place() {
        let text = "\u{feff}// a comment\n{\"ä\": [1, /* two */ \"b\"],}";
        assert!(has_comments(text) && has_comments("{/**/}") && !has_comments(r#"{"a": "// \" //"}"#));
        let (node, diagnostics) = read(text);
        let node = node.unwrap();
        assert_eq!(diagnostics, []);
        let items = node.get("ä").unwrap().items();
        assert_eq!(&text[items[1].span.clone()], "\"b\"");
        assert_eq!(&text[node.member("ä").unwrap().key_span.clone()], "\"ä\"");
    }

    #[test]
    fn nesting_is_bounded_before_anything_recurses() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let (node, diagnostics) = read(&deep);
        assert!(node.is_none());
        assert_eq!((diagnostics[0].code, diagnostics[0].column), ("S0002", 101));
        let just = format!("{}\"[{{[\"{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(read(&just).0.is_some());
    }

    #[test]
    fn a_duplicate_key_names_the_line_of_the_first() {
        let (node, diagnostics) = read("{\n\"a\": 1,\n\"a\": 2}");
        assert_eq!(node.unwrap().members().len(), 1);
        assert_eq!((diagnostics[0].code, diagnostics[0].line), ("S0003", 3));
        assert!(diagnostics[0].help.as_deref().unwrap().contains("line 2"));
    }

    #[test]
    fn numbers_that_json_lacks_are_named() {
        for text in ["NaN", "-Infinity", "1e400"] {
            let (node, diagnostics) = read(&format!("{{\"a\": {text}}}"));
            assert!(node.is_some());
            assert_eq!(diagnostics[0].code, "S0005", "{text}");
            assert!(diagnostics[0].message.contains(text), "{}", diagnostics[0].message);
        }
    }

    #[test]
    fn pretty_print_reads_back_as_the_same_tree() {
        let text = r#"{"a":[1,2.50,"x\n\"y\""],"b":{},"c":[{"d":null}],"e":[],"f":["a text too long for one line"]}"#;
        let (node, _) = read(text);
        let node = node.unwrap();
        let printed = node.pretty();
        assert!(printed.contains("2.50"), "{printed}");
        assert_eq!(read(&printed).0.unwrap().to_value(), node.to_value());
    }
}
