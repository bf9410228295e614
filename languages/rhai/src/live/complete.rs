//! How the word before the cursor can go on.

use super::cells::{Machine, type_name};
use super::{Live, words};
use crate::host::SKILL;
use rhai::Dynamic;
use skills_core::{Completion, Completions, FunctionSpec, NameKind};
use std::collections::BTreeMap;

/// The most completions that are given.
const MOST: usize = 1_000;

impl Live {
    /// What the word before the cursor could be.
    pub(crate) fn complete(&self, text: &str, cursor: usize, machine: &Machine<'_>) -> Completions {
        let before = &text[..text.floor_char_boundary(cursor)];
        let path_from = before.rfind(|c: char| !is_word(c) && c != '.').map_or(0, |at| at + width(before, at));
        let path = &before[path_from..];
        let word_at = path.rfind('.').map_or(0, |at| at + 1);
        let (owner, word) = path.split_at(word_at);
        let from = path_from + word_at;
        let mut found = BTreeMap::new();
        if in_text(&before[..path_from]) || word.starts_with(|c: char| c.is_ascii_digit()) {
            return Completions { from, items: Vec::new() };
        }
        match owner.strip_suffix('.') {
            None => self.names(machine, &mut found),
            Some(owner) => self.members(owner, machine, &mut found),
        }
        let items = found.into_iter().filter(|(text, _)| text.starts_with(word)).take(MOST);
        Completions { from, items: items.map(|(text, kind)| Completion { text, kind }).collect() }
    }

    fn names(&self, machine: &Machine<'_>, found: &mut BTreeMap<String, NameKind>) {
        for word in words::KEYWORDS {
            found.insert((*word).into(), NameKind::Keyword);
        }
        for word in words::GLOBAL {
            found.insert((*word).into(), NameKind::Function);
        }
        for (index, spec) in machine.host.functions().iter().enumerate() {
            if machine.host.is_global(index) {
                found.insert(spec.name.clone(), NameKind::Function);
            }
        }
        found.insert(SKILL.into(), NameKind::Module);
        found.insert("params".into(), NameKind::Value);
        for name in self.functions().into_keys() {
            found.insert(name, NameKind::Function);
        }
        for (name, ..) in self.variables() {
            found.insert(name.into(), NameKind::Value);
        }
    }

    fn members(&self, owner: &str, machine: &Machine<'_>, found: &mut BTreeMap<String, NameKind>) {
        if self.value(SKILL).is_none() && (owner == SKILL || owner.starts_with("skill.")) {
            let group = owner.strip_prefix("skill.");
            return host_members(group, machine.host.functions(), found);
        }
        self.at(owner, |value| {
            found.extend(self.methods().into_iter().map(|name| (name, NameKind::Function)));
            for word in words::members(&type_name(value, machine.engine)) {
                found.insert(word.into(), NameKind::Function);
            }
            if let Ok(map) = value.as_map_ref() {
                let keys = map.keys().filter(|key| rhai::is_valid_identifier(key.as_str()));
                found.extend(keys.map(|key| (key.to_string(), NameKind::Member)));
            }
        });
    }

    /// Looks at what stands at the end of a path of names: a variable, and keys of maps from there.
    pub(super) fn at<T>(&self, path: &str, look: impl FnOnce(&Dynamic) -> T) -> Option<T> {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        into(self.value(name)?, rest, look)
    }
}

fn into<T>(value: &Dynamic, path: Option<&str>, look: impl FnOnce(&Dynamic) -> T) -> Option<T> {
    let Some(path) = path else { return Some(look(value)) };
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let map = value.as_map_ref().ok()?;
    into(map.get(key)?, rest, look)
}

fn host_members(group: Option<&str>, functions: &[FunctionSpec], found: &mut BTreeMap<String, NameKind>) {
    if group.is_none() {
        found.insert("params".into(), NameKind::Member);
    }
    for spec in functions {
        match (group, spec.name.split_once('.')) {
            (None, None) => found.insert(spec.name.clone(), NameKind::Function),
            (None, Some((group, _))) => found.insert(group.into(), NameKind::Module),
            (Some(wanted), Some((group, name))) if group == wanted => found.insert(name.into(), NameKind::Function),
            _ => None,
        };
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn width(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Whether what follows would be inside a string or a comment of the same line.
fn in_text(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or(before);
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => {
                chars.next();
            }
            (Some(open), c) if open == c => quote = None,
            (Some('`'), '$') if chars.peek() == Some(&'{') => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '/') if chars.peek() == Some(&'/') => return true,
            _ => {}
        }
    }
    quote.is_some()
}
