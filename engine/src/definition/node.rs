//! A JSON document whose every part knows where it stands in the text.
//!
//! Older forms of a definition are translated node by node into the v2 form. A node that a translation makes up borrows
//! the span of what it was made from, so a diagnostic about the v2 tree points into the file that the person wrote.

use serde_json::{Map, Value};

/// A range of bytes of the definition's text.
pub(crate) type Span = std::ops::Range<usize>;

/// A JSON value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// The bytes it was written in, or those of what it was translated from.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) data: Data,
}

/// The JSON value of a [`Node`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written, so that nothing is lost: `1e400`, `NaN` and `18446744073709551616` stay what they
    /// are.
    Number(String),
    /// A string, with its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Node>),
    /// An object, in the order in which it is written; a duplicate key has been reported and left out.
    Object(Vec<Member>),
}

/// A key of an object with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// The key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) key_span: Span,
    /// The value.
    pub(crate) value: Node,
}

impl Node {
    /// `true` or `false`.
    pub(crate) fn bool(value: bool, span: &Span) -> Node {
        Node { span: span.clone(), data: Data::Bool(value) }
    }

    /// A number: an integer, or a `f64` that is finite.
    pub(crate) fn number(value: impl std::fmt::Display, span: &Span) -> Node {
        Node { span: span.clone(), data: Data::Number(value.to_string()) }
    }

    /// A string.
    pub(crate) fn string(value: impl Into<String>, span: &Span) -> Node {
        Node { span: span.clone(), data: Data::String(value.into()) }
    }

    /// An array.
    pub(crate) fn array(items: Vec<Node>, span: &Span) -> Node {
        Node { span: span.clone(), data: Data::Array(items) }
    }

    /// An object without members; add them with [`Node::with`] or [`Node::set`].
    pub(crate) fn object(span: &Span) -> Node {
        Node { span: span.clone(), data: Data::Object(Vec::new()) }
    }

    /// A node for a value that is at hand, all of it at one span.
    pub(crate) fn from_value(value: &Value, span: &Span) -> Node {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(b) => Data::Bool(*b),
            Value::Number(n) => Data::Number(n.to_string()),
            Value::String(s) => Data::String(s.clone()),
            Value::Array(items) => Data::Array(items.iter().map(|item| Node::from_value(item, span)).collect()),
            Value::Object(map) => {
                Data::Object(map.iter().map(|(key, v)| Member::new(key, span, Node::from_value(v, span))).collect())
            }
        };
        Node { span: span.clone(), data }
    }

    /// The same object with one more member, whose key borrows the value's span. Any other node stays as it is.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: Node) -> Node {
        let span = value.span.clone();
        self.set(key, &span, value);
        self
    }

    /// Sets a member of an object, in place where the key is there already. Any other node stays as it is.
    pub(crate) fn set(&mut self, key: &str, key_span: &Span, value: Node) {
        if let Data::Object(members) = &mut self.data {
            match members.iter_mut().find(|member| member.key == key) {
                Some(member) => *member = Member::new(key, key_span, value),
                None => members.push(Member::new(key, key_span, value)),
            }
        }
    }

    /// Adds a member whose key the object is known not to have: unlike [`Node::set`] it does not look.
    pub(crate) fn push(&mut self, member: Member) {
        if let Data::Object(members) = &mut self.data {
            members.push(member);
        }
    }

    /// Takes a member out of an object.
    pub(crate) fn take(&mut self, key: &str) -> Option<Member> {
        match &mut self.data {
            Data::Object(members) => {
                let at = members.iter().position(|member| member.key == key)?;
                Some(members.remove(at))
            }
            _ => None,
        }
    }

    /// The value of a key, where the node is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.value)
    }

    /// The value at the end of a path of keys: `["security", "resource_limits"]`.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The member of a key, where the node is an object that has it.
    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.key == key)
    }

    /// Whether the node is an object that has a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.member(key).is_some()
    }

    /// The members, none where it is not an object.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.data {
            Data::Object(members) => members,
            _ => &[],
        }
    }

    /// The items, none where it is not an array.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.data {
            Data::Array(items) => items,
            _ => &[],
        }
    }

    /// The text, where it is a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, where it is one.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, where it is one; `NaN` and infinities included.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match &self.data {
            Data::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.data == Data::Null
    }

    /// Whether it is an object.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.data, Data::Object(_))
    }

    /// Whether it is an array.
    pub(crate) fn is_array(&self) -> bool {
        matches!(self.data, Data::Array(_))
    }

    /// The type as a sentence names it: `a string`, `an object`, `null`.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.data {
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::Array(_) => "an array",
            Data::Object(_) => "an object",
        }
    }

    /// The JSON value. A number that JSON readers cannot hold (`NaN`, `1e400`) has been reported, and becomes `null`.
    pub(crate) fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(b) => Value::Bool(*b),
            Data::Number(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            Data::String(text) => Value::String(text.clone()),
            Data::Array(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Data::Object(members) => Value::Object(
                members.iter().map(|member| (member.key.clone(), member.value.to_value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The node as JSON, two spaces a level, with numbers as they were written; ends without a line break.
    pub(crate) fn pretty(&self) -> String {
        let mut out = String::new();
        self.print(&mut out, 0);
        out
    }

    fn print(&self, out: &mut String, level: usize) {
        let line = |out: &mut String, level: usize| {
            out.push('\n');
            out.push_str(&"  ".repeat(level));
        };
        match &self.data {
            Data::Null => out.push_str("null"),
            Data::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Data::Number(text) => out.push_str(text),
            Data::String(text) => out.push_str(&quoted(text)),
            Data::Array(items) if items.is_empty() => out.push_str("[]"),
            Data::Object(members) if members.is_empty() => out.push_str("{}"),
            Data::Array(items) if items.len() <= 12 && items.iter().all(Node::is_short) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    item.print(out, level);
                }
                out.push(']');
            }
            Data::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    line(out, level + 1);
                    item.print(out, level + 1);
                }
                line(out, level);
                out.push(']');
            }
            Data::Object(members) => {
                out.push('{');
                for (i, member) in members.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    line(out, level + 1);
                    out.push_str(&quoted(&member.key));
                    out.push_str(": ");
                    member.value.print(out, level + 1);
                }
                line(out, level);
                out.push('}');
            }
        }
    }

    /// Whether an array of such items reads well on one line.
    fn is_short(&self) -> bool {
        match &self.data {
            Data::Null | Data::Bool(_) | Data::Number(_) => true,
            Data::String(text) => text.len() <= 20,
            Data::Array(_) | Data::Object(_) => false,
        }
    }
}

impl Member {
    /// A member.
    pub(crate) fn new(key: &str, key_span: &Span, value: Node) -> Member {
        Member { key: key.to_owned(), key_span: key_span.clone(), value }
    }
}

/// A string as JSON.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
