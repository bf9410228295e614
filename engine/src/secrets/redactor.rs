//! Takes the values of secrets out of texts and values.

use super::patterns::{self, SHORTEST};
use aho_corasick::AhoCorasick;
use serde_json::{Map, Value};
use skills_core::{ExposeSecret as _, Failure, SecretString};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

/// What is known of secrets, and takes them out of whatever passes. Any thread may use it, and it may learn more at any
/// time.
#[derive(Default)]
pub(crate) struct Redactor(RwLock<Option<Arc<Table>>>);

/// Secrets with the forms in which they are looked for.
struct Table {
    secrets: Vec<(String, SecretString)>,
    search: AhoCorasick,
    /// The forms, in the order of the search.
    forms: Vec<SecretString>,
    /// Which secret a form is of; `None` for what already stands for one.
    owners: Vec<Option<usize>>,
    longest: usize,
    /// The bytes that a form can begin with.
    first: [bool; 256],
}

impl Table {
    /// `None` where nothing of the secrets is long enough to be looked for.
    fn new(secrets: Vec<(String, SecretString)>) -> Option<Table> {
        let (mut forms, mut owners, mut first) = (Vec::new(), Vec::new(), [false; 256]);
        let mut add = |form: String, owner| {
            if let Some(byte) = form.bytes().next() {
                first[usize::from(byte)] = true;
                forms.push(SecretString::from(form));
                owners.push(owner);
            }
        };
        for (index, (name, value)) in secrets.iter().enumerate() {
            patterns::of(value.expose_secret()).into_iter().for_each(|form| add(form, Some(index)));
            add(marker(name), None);
        }
        let search = AhoCorasick::new(forms.iter().map(|form: &SecretString| form.expose_secret())).ok()?;
        let longest = forms.iter().map(|form| form.expose_secret().len()).max()?;
        Some(Table { secrets, search, forms, owners, longest, first })
    }

    /// Where secrets are, in order, those that overlap as one; each with the first secret that it holds.
    fn places(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let (mut found, mut markers) = (Vec::new(), Vec::new());
        for hit in self.search.find_overlapping_iter(text) {
            match self.owners[hit.pattern().as_usize()] {
                Some(owner) => found.push((hit.range(), owner)),
                None => markers.push(hit.range()),
            }
        }
        markers.sort_by_key(|marker: &Range<usize>| marker.start);
        found.retain(|(place, _)| {
            let before = markers.partition_point(|marker| marker.start <= place.start);
            before.checked_sub(1).is_none_or(|last| place.end > markers[last].end)
        });
        found.sort_by_key(|(place, owner)| (place.start, std::cmp::Reverse(place.end), *owner));
        let mut places: Vec<(Range<usize>, usize)> = Vec::new();
        for (place, owner) in found {
            match places.last_mut() {
                Some((last, _)) if place.start < last.end => last.end = last.end.max(place.end),
                _ => places.push((place, owner)),
            }
        }
        places
    }

    /// Where the end of a text begins that may be the start of a secret; its length where there is none.
    fn begun(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        let from = bytes.len().saturating_sub(self.longest.saturating_sub(1));
        let may_begin = |at: &usize| {
            let end = &bytes[*at..];
            let is_start = |form: &SecretString| {
                let form = form.expose_secret().as_bytes();
                form.len() > end.len() && form.starts_with(end)
            };
            self.first[usize::from(end[0])] && self.forms.iter().any(is_start)
        };
        (from..bytes.len()).find(may_begin).unwrap_or(bytes.len())
    }
}

/// What stands where a secret was.
fn marker(name: &str) -> String {
    format!("[secret:{name}]")
}

impl Redactor {
    fn table(&self) -> Option<Arc<Table>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Learns a secret.
    pub(crate) fn learn(&self, name: &str, value: &SecretString) {
        if value.expose_secret().len() < SHORTEST {
            return;
        }
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut secrets = held.as_ref().map(|table| table.secrets.clone()).unwrap_or_default();
        let same =
            |(known, old): &(String, SecretString)| known == name && old.expose_secret() == value.expose_secret();
        if !secrets.iter().any(same) {
            secrets.push((name.to_owned(), value.clone()));
            *held = Table::new(secrets).map(Arc::new);
        }
    }

    /// Everything that it knows.
    pub(crate) fn secrets(&self) -> Vec<(String, SecretString)> {
        self.table().map(|table| table.secrets.clone()).unwrap_or_default()
    }

    /// The first secret that is in a value.
    pub(crate) fn found_in(&self, value: &Value) -> Option<String> {
        let table = self.table()?;
        fn search(table: &Table, value: &Value) -> Option<usize> {
            let in_text = |text: &str| table.places(text).first().map(|(_, owner)| *owner);
            match value {
                Value::String(text) => in_text(text),
                Value::Number(number) => in_text(&number.to_string()),
                Value::Array(items) => items.iter().find_map(|item| search(table, item)),
                Value::Object(members) => {
                    members.iter().find_map(|(key, value)| in_text(key).or_else(|| search(table, value)))
                }
                Value::Null | Value::Bool(_) => None,
            }
        }
        search(&table, value).map(|owner| table.secrets[owner].0.clone())
    }

    /// The first secret that is in bytes which are no text: as it is, and in characters of two or four bytes.
    pub(crate) fn found_in_bytes(&self, bytes: &[u8]) -> Option<String> {
        let table = self.table()?;
        let owner = |bytes: &[u8]| {
            table.search.find_overlapping_iter(bytes).find_map(|hit| table.owners[hit.pattern().as_usize()])
        };
        let wide = || {
            let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
            owner(&narrow)
        };
        owner(bytes).or_else(wide).map(|owner| table.secrets[owner].0.clone())
    }

    /// A text without secrets.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(table) = self.table() else { return Cow::Borrowed(text) };
        let places = table.places(text);
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for (place, owner) in places {
            out.push_str(&text[at..place.start]);
            out.push_str(&marker(&table.secrets[owner].0));
            at = place.end;
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }

    /// A text without secrets.
    pub(crate) fn owned(&self, text: String) -> String {
        match self.text(&text) {
            Cow::Owned(clean) => clean,
            Cow::Borrowed(_) => text,
        }
    }

    /// A value without secrets: in its texts, the names of its members, and its numbers.
    pub(crate) fn value(&self, value: Value) -> Value {
        if self.is_idle() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.owned(text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let clean: Map<String, Value> =
                    members.into_iter().map(|(key, value)| (self.owned(key), self.value(value))).collect();
                Value::Object(clean)
            }
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Owned(clean) => Value::String(clean),
                Cow::Borrowed(_) => Value::Number(number),
            },
            Value::Null | Value::Bool(_) => value,
        }
    }

    /// A failure without secrets.
    pub(crate) fn failure(&self, mut failure: Failure) -> Failure {
        if self.is_idle() {
            return failure;
        }
        failure.message = self.owned(failure.message);
        failure.help = failure.help.map(|help| self.owned(help));
        for frame in &mut failure.frames {
            frame.file = self.owned(std::mem::take(&mut frame.file));
            frame.function = frame.function.take().map(|name| self.owned(name));
            frame.source = frame.source.take().map(|line| self.owned(line));
        }
        failure
    }
}

/// A text that comes piece by piece: a secret that is split over two pieces is found too.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The end of what came, which may be the start of a secret.
    held: String,
    /// How much of it belongs to a secret that has been replaced already.
    covered: usize,
}

impl Flow {
    /// Takes a piece, and gives what is ready.
    pub(crate) fn push<'a>(&mut self, piece: &'a str, redactor: &Redactor) -> Cow<'a, str> {
        match redactor.table() {
            Some(table) => Cow::Owned(self.advance(piece, &table, false)),
            None => Cow::Borrowed(piece),
        }
    }

    /// What was held back, at the end.
    pub(crate) fn finish(&mut self, redactor: &Redactor) -> String {
        redactor.table().map(|table| self.advance("", &table, true)).unwrap_or_default()
    }

    fn advance(&mut self, piece: &str, table: &Table, end: bool) -> String {
        let mut text = std::mem::take(&mut self.held);
        text.push_str(piece);
        let keep_from = if end { text.len() } else { table.begun(&text) };
        let (mut out, mut at) = (String::new(), std::mem::take(&mut self.covered));
        for (place, owner) in table.places(&text) {
            if place.start >= keep_from {
                break;
            }
            // One that begins in what was replaced before goes on with it.
            if place.start >= at {
                out.push_str(&text[at..place.start]);
                out.push_str(&marker(&table.secrets[owner].0));
            }
            at = at.max(place.end);
        }
        if at < keep_from {
            out.push_str(&text[at..keep_from]);
        }
        self.covered = at.saturating_sub(keep_from);
        text.drain(..keep_from);
        self.held = text;
        out
    }
}
