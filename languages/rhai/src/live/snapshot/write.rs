use super::super::library::is_closure;
use super::super::walk::identity;
use super::{LONG_TEXT, Tag, nothing};
use rhai::{Dynamic, FnPtr, ScriptFuncDef, Shared};
use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

/// Writes values.
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// How deep values may nest.
    deepest: usize,
    /// For each closure its source and its place there.
    closures: HashMap<String, (usize, usize)>,
    sources: usize,
    shared: HashMap<usize, usize>,
    texts: HashMap<usize, usize>,
    /// Why a part of the value at hand is lost.
    lost: Option<String>,
}

impl Writer {
    pub(super) fn new(deepest: usize) -> Writer {
        Writer {
            bytes: Vec::new(),
            deepest,
            closures: HashMap::new(),
            sources: 0,
            shared: HashMap::new(),
            texts: HashMap::new(),
            lost: None,
        }
    }

    /// Takes note of the closures of the next source.
    pub(super) fn closures(&mut self, closures: Vec<&Shared<ScriptFuncDef>>) {
        for (place, closure) in closures.into_iter().enumerate() {
            self.closures.insert(closure.name.to_string(), (self.sources, place));
        }
        self.sources += 1;
    }

    /// Writes a variable's value. Gives why a part of it is lost, where one is.
    pub(super) fn value_of(&mut self, value: &Dynamic) -> Option<String> {
        self.value(value, 0);
        self.lost.take()
    }

    fn value(&mut self, value: &Dynamic, depth: usize) {
        if depth >= self.deepest {
            return self.lose("a value in it is nested too deep");
        }
        if let Some(place) = identity(value) {
            if let Some(number) = self.shared.get(&place) {
                let number = *number;
                self.tag(Tag::Same);
                return self.number(number);
            }
            self.shared.insert(place, self.shared.len());
            self.tag(Tag::Shared);
            return match value.read_lock::<Dynamic>() {
                Some(inner) => self.value(&inner, depth + 1),
                None => self.value(&nothing(), depth + 1),
            };
        }
        if value.is_unit() {
            self.tag(Tag::Unit);
        } else if let Ok(b) = value.as_bool() {
            self.tag(if b { Tag::True } else { Tag::False });
        } else if let Ok(i) = value.as_int() {
            self.tag(Tag::Int);
            self.integer(i);
        } else if let Ok(f) = value.as_float() {
            self.tag(Tag::Float);
            self.bytes.extend(f.to_le_bytes());
        } else if let Ok(c) = value.as_char() {
            self.tag(Tag::Char);
            self.number(u32::from(c) as usize);
        } else if let Ok(text) = value.as_immutable_string_ref() {
            self.string(&text);
        } else if let Ok(items) = value.as_array_ref() {
            self.tag(Tag::Array);
            self.number(items.len());
            items.iter().for_each(|item| self.value(item, depth + 1));
        } else if let Ok(map) = value.as_map_ref() {
            self.tag(Tag::Map);
            self.number(map.len());
            for (key, item) in &*map {
                self.text(key);
                self.value(item, depth + 1);
            }
        } else if let Ok(bytes) = value.as_blob_ref() {
            self.tag(Tag::Blob);
            self.number(bytes.len());
            self.bytes.extend(&*bytes);
        } else if let Some(pointer) = value.read_lock::<FnPtr>() {
            self.pointer(&pointer, depth);
        } else {
            self.other(value);
        }
    }

    fn pointer(&mut self, pointer: &FnPtr, depth: usize) {
        if is_closure(pointer.fn_name()) {
            let Some((source, place)) = self.closures.get(pointer.fn_name()).copied() else {
                return self.lose("a closure in it is from a source that is gone");
            };
            self.tag(Tag::Closure);
            self.number(source);
            self.number(place);
        } else {
            self.tag(Tag::Pointer);
            self.text(pointer.fn_name());
        }
        self.number(pointer.curry().len());
        pointer.iter_curry().for_each(|item| self.value(item, depth + 1));
    }

    fn other(&mut self, value: &Dynamic) {
        if let Some(range) = value.read_lock::<Range<i64>>() {
            self.tag(Tag::Range);
            self.integer(range.start);
            self.integer(range.end);
        } else if let Some(range) = value.read_lock::<RangeInclusive<i64>>() {
            self.tag(Tag::RangeInclusive);
            self.integer(*range.start());
            self.integer(*range.end());
        } else if value.is_timestamp() {
            self.lose("a timestamp in it means nothing after a restart");
        } else {
            self.lose("a value in it is the host's own");
        }
    }

    /// Writes `()` in place of what cannot be kept.
    fn lose(&mut self, why: &str) {
        self.lost.get_or_insert_with(|| why.into());
        self.tag(Tag::Unit);
    }

    fn string(&mut self, text: &rhai::ImmutableString) {
        if text.len() < LONG_TEXT {
            self.tag(Tag::Text);
            return self.text(text);
        }
        let place = text.as_ptr().addr();
        if let Some(number) = self.texts.get(&place) {
            let number = *number;
            self.tag(Tag::SameText);
            return self.number(number);
        }
        self.texts.insert(place, self.texts.len());
        self.tag(Tag::LongText);
        self.text(text);
    }

    fn tag(&mut self, tag: Tag) {
        self.bytes.push(tag as u8);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len());
        self.bytes.extend(text.as_bytes());
    }

    fn integer(&mut self, i: i64) {
        self.number64(((i << 1) ^ (i >> 63)) as u64);
    }

    pub(super) fn number(&mut self, n: usize) {
        self.number64(n as u64);
    }

    fn number64(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.bytes.push(n as u8);
    }
}
