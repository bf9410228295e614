//! Typed access to an object of the tree. What is asked for is known; what is left at the end is reported as unknown,
//! so the list of keys cannot drift from the code that reads them.

use crate::definition::codes::{self, Code};
use crate::definition::limits::Bound;
use crate::definition::node::{Member, Node, Span};
use crate::definition::sink::Sink;
use crate::definition::suggest;

/// An object that is being read.
pub(crate) struct Fields<'a> {
    object: &'a Node,
    /// How messages name it: `executor`; empty for the whole definition.
    place: String,
    asked: Vec<&'static str>,
    /// Whether what is left at the end is nobody's business.
    lenient: bool,
}

/// A string of the definition with its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// The string.
    pub(crate) text: &'a str,
    /// Where it stands.
    pub(crate) span: &'a Span,
}

impl<'a> Fields<'a> {
    /// The members of an object, which messages call `place`.
    pub(crate) fn new(object: &'a Node, place: &str) -> Fields<'a> {
        Fields { object, place: place.to_owned(), asked: Vec::new(), lenient: false }
    }

    /// The same object under another name in messages.
    #[must_use]
    pub(crate) fn called(mut self, place: &str) -> Fields<'a> {
        place.clone_into(&mut self.place);
        self
    }

    /// Where the object stands.
    pub(crate) fn span(&self) -> &'a Span {
        &self.object.span
    }

    /// Every member, for an object whose keys are free.
    pub(crate) fn members(&self) -> &'a [Member] {
        self.object.members()
    }

    /// The member of a key, unless its value is `null`, which means the same as leaving it out.
    pub(crate) fn member(&mut self, key: &'static str) -> Option<&'a Member> {
        self.asked.push(key);
        self.object.member(key).filter(|member| !member.value.is_null())
    }

    /// The value of a key, unless it is `null`.
    pub(crate) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.member(key).map(|member| &member.value)
    }

    /// A string.
    pub(crate) fn text(&mut self, key: &'static str, sink: &mut Sink) -> Option<Text<'a>> {
        let node = self.node(key)?;
        match node.as_str() {
            Some(text) => Some(Text { text, span: &node.span }),
            None => {
                let help = if node.is_object() || node.is_array() { "write a text" } else { "write it" };
                self.wrong_type(key, node, "a string", &format!("{help} in double quotes"), sink);
                None
            }
        }
    }

    /// A string that is not empty or blank.
    pub(crate) fn filled(&mut self, key: &'static str, sink: &mut Sink) -> Option<Text<'a>> {
        let text = self.text(key, sink)?;
        if text.text.trim().is_empty() {
            let message = format!("{} is empty", self.named(key));
            sink.error(codes::EMPTY, text.span, message, "write a text, or leave the key out");
            return None;
        }
        Some(text)
    }

    /// A truth value.
    pub(crate) fn bool(&mut self, key: &'static str, sink: &mut Sink) -> Option<bool> {
        let node = self.node(key)?;
        if node.as_bool().is_none() {
            let help = match node.as_str() {
                Some(text @ ("true" | "false")) => format!("write {text} without quotes"),
                _ => "write true or false".to_owned(),
            };
            self.wrong_type(key, node, "true or false", &help, sink);
        }
        node.as_bool()
    }

    /// A number within its bound.
    pub(crate) fn number(&mut self, key: &'static str, bound: &Bound, sink: &mut Sink) -> Option<f64> {
        let node = self.node(key)?;
        bound.check(&self.named(key), node, sink)
    }

    /// A whole number within its bound.
    pub(crate) fn count(&mut self, key: &'static str, bound: &Bound, sink: &mut Sink) -> Option<u64> {
        // The bound holds it far below 2^53, where a f64 is exact.
        self.number(key, bound, sink).map(|number| number as u64)
    }

    /// An object.
    pub(crate) fn object(&mut self, key: &'static str, sink: &mut Sink) -> Option<Fields<'a>> {
        let node = self.node(key)?;
        if !node.is_object() {
            self.wrong_type(key, node, "an object", "write `{…}`", sink);
            return None;
        }
        let place = if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) };
        Some(Fields::new(node, &place))
    }

    /// An array of strings.
    pub(crate) fn texts(&mut self, key: &'static str, sink: &mut Sink) -> Option<Vec<Text<'a>>> {
        let node = self.node(key)?;
        if !node.is_array() {
            let help = match node.as_str() {
                Some(text) => format!("write [{text:?}]"),
                None => "write [\"…\"]".to_owned(),
            };
            self.wrong_type(key, node, "an array of strings", &help, sink);
            return None;
        }
        let mut texts = Vec::new();
        for item in node.items() {
            match item.as_str() {
                Some(text) => texts.push(Text { text, span: &item.span }),
                None => {
                    let message = format!("{} holds {}, but takes strings only", self.named(key), item.type_name());
                    sink.error(codes::WRONG_TYPE, &item.span, message, "write it in double quotes");
                }
            }
        }
        Some(texts)
    }

    /// An object whose values are strings.
    pub(crate) fn text_map(&mut self, key: &'static str, sink: &mut Sink) -> Option<Vec<(&'a Member, Text<'a>)>> {
        let fields = self.object(key, sink)?;
        let mut entries = Vec::new();
        for member in fields.object.members() {
            match member.value.as_str() {
                Some(text) => entries.push((member, Text { text, span: &member.value.span })),
                None => {
                    let named = fields.named(&member.key);
                    let message = format!("{named} is {}, but has to be a string", member.value.type_name());
                    sink.error(codes::WRONG_TYPE, &member.value.span, message, "write it in double quotes");
                }
            }
        }
        Some(entries)
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
        sink: &mut Sink,
    ) -> Option<T> {
        let text = self.text(key, sink)?;
        if let Some((_, chosen)) = choices.iter().find(|(word, _)| *word == text.text) {
            return Some(*chosen);
        }
        let message = format!("{} is `{}`, which is not known", self.named(key), text.text);
        let help = suggest::help(text.text, choices.iter().map(|(word, _)| *word));
        sink.error(codes::UNKNOWN_VALUE, text.span, message, help);
        None
    }

    /// Calls no key unknown, where what would say which keys belong here is wrong itself.
    pub(crate) fn accept_all(&mut self) {
        self.lenient = true;
    }

    /// Reports a key that has to be there.
    pub(crate) fn missing(&self, code: Code, key: &str, help: &str, sink: &mut Sink) {
        let message = match self.place.as_str() {
            "" => format!("the definition has no `{key}`"),
            place => format!("`{place}` has no `{key}`"),
        };
        sink.error(code, &self.place_of(key), message, help);
    }

    /// Where a key that is missing would be: at its `null`, or else at the opening bracket, since an excerpt of the
    /// whole object says nothing.
    pub(crate) fn place_of(&self, key: &str) -> Span {
        let start = self.object.span.start;
        self.object.get(key).map_or(start..start + 1, |null| null.span.clone())
    }

    /// Reports a value of the wrong JSON type.
    pub(crate) fn wrong_type(&self, key: &str, node: &Node, expected: &str, help: &str, sink: &mut Sink) {
        let message = format!("{} is {}, but has to be {expected}", self.named(key), node.type_name());
        sink.error(codes::WRONG_TYPE, &node.span, message, help);
    }

    /// A key as messages name it: `` `timeout` ``, or `` `executor.timeout` `` within an object.
    pub(crate) fn named(&self, key: &str) -> String {
        if self.place.is_empty() { format!("`{key}`") } else { format!("`{}.{key}`", self.place) }
    }

    /// Warns about every key that was not asked for.
    pub(crate) fn finish(self, sink: &mut Sink) {
        for member in self.object.members().iter().filter(|_| !self.lenient) {
            if !self.asked.contains(&member.key.as_str()) {
                unknown_key(member, &self.place, self.asked.iter().copied(), sink);
            }
        }
    }
}

/// Warns about a key that nothing reads. A key that begins with `_`, `$` or `x-` is somebody's own and stays unremarked.
pub(crate) fn unknown_key<'k>(
    member: &Member,
    place: &str,
    known: impl Iterator<Item = &'k str> + Clone,
    sink: &mut Sink,
) {
    if member.key.starts_with(['_', '$']) || member.key.starts_with("x-") {
        return;
    }
    if sink.is_full() {
        sink.warning(codes::UNKNOWN_KEY, &member.key_span, "", "");
        return;
    }
    let message = match place {
        "" => format!("nothing reads the key `{}`", member.key),
        place => format!("nothing reads the key `{}` in `{place}`", member.key),
    };
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    known.dedup();
    let help = match suggest::nearest(&member.key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.len() <= 8 => format!("known here are {}", suggest::list(known)),
        None => "remove it, or move it below `metadata`; `skills schema` prints every key".to_owned(),
    };
    sink.warning(codes::UNKNOWN_KEY, &member.key_span, message, help);
}
