use super::super::library::{closures, is_closure};
use super::super::walk::fill;
use super::{Tag, damaged};
use crate::memory::MemoryCap;
use rhai::{AST, Dynamic, FnPtr, ImmutableString, ScriptFuncDef, Shared};
use skills_core::Failure;
use std::collections::HashMap;

/// How many elements room is made for before they are read.
const MOST_AT_ONCE: usize = 1_024;

/// Reads values. Nothing is believed of the bytes.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    deepest: usize,
    memory: &'a MemoryCap,
    closures: Vec<Vec<Shared<ScriptFuncDef>>>,
    /// The functions by name, where there is one only.
    functions: HashMap<String, Option<Shared<ScriptFuncDef>>>,
    shared: Vec<Dynamic>,
    texts: Vec<ImmutableString>,
}

type Read<T> = Result<T, Failure>;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], deepest: usize, memory: &'a MemoryCap) -> Reader<'a> {
        Reader {
            rest: bytes,
            deepest,
            memory,
            closures: Vec::new(),
            functions: HashMap::new(),
            shared: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Takes note of the closures of the next source.
    pub(super) fn closures(&mut self, own: &AST) {
        self.closures.push(closures(own).into_iter().cloned().collect());
    }

    /// Takes note of the functions that pointers may point to.
    pub(super) fn functions(&mut self, functions: &AST) {
        for function in functions.iter_fn_def().filter(|function| !is_closure(&function.name)) {
            let only = self.functions.entry(function.name.to_string());
            only.and_modify(|other| *other = None).or_insert_with(|| Some(Shared::clone(function)));
        }
    }

    pub(super) fn value(&mut self, depth: usize) -> Read<Dynamic> {
        if depth >= self.deepest {
            return Err(damaged());
        }
        if self.memory.suspicious() {
            self.memory.check_more(0).map_err(Failure::breach)?;
        }
        let tag = *self.take(1)?.first().ok_or_else(damaged)?;
        let is = |wanted: Tag| tag == wanted as u8;
        Ok(if is(Tag::Unit) {
            Dynamic::UNIT
        } else if is(Tag::False) || is(Tag::True) {
            is(Tag::True).into()
        } else if is(Tag::Int) {
            self.integer()?.into()
        } else if is(Tag::Float) {
            f64::from_le_bytes(self.take(8)?.try_into().map_err(|_| damaged())?).into()
        } else if is(Tag::Char) {
            u32::try_from(self.number()?).ok().and_then(char::from_u32).ok_or_else(damaged)?.into()
        } else if is(Tag::Text) {
            Dynamic::from(ImmutableString::from(self.text()?))
        } else if is(Tag::LongText) {
            let text = ImmutableString::from(self.text()?);
            self.texts.push(text.clone());
            text.into()
        } else if is(Tag::SameText) {
            let number = self.number()?;
            self.texts.get(number).cloned().ok_or_else(damaged)?.into()
        } else if is(Tag::Array) {
            Dynamic::from_array(self.items(depth)?)
        } else if is(Tag::Map) {
            self.map(depth)?
        } else if is(Tag::Blob) {
            let length = self.number()?;
            Dynamic::from_blob(self.take(length)?.to_vec())
        } else if is(Tag::Pointer) || is(Tag::Closure) {
            self.pointer(is(Tag::Closure), depth)?
        } else if is(Tag::Range) {
            Dynamic::from(self.integer()?..self.integer()?)
        } else if is(Tag::RangeInclusive) {
            Dynamic::from(self.integer()?..=self.integer()?)
        } else if is(Tag::Shared) {
            // It may be met again inside itself.
            let shared = Dynamic::UNIT.into_shared();
            self.shared.push(shared.clone());
            let inner = self.value(depth + 1)?;
            if inner.is_shared() {
                return Err(damaged());
            }
            fill(&shared, inner);
            shared
        } else if is(Tag::Same) {
            let number = self.number()?;
            self.shared.get(number).cloned().ok_or_else(damaged)?
        } else {
            return Err(damaged());
        })
    }

    fn items(&mut self, depth: usize) -> Read<Vec<Dynamic>> {
        let length = self.number()?;
        // Each takes a byte at least; what is claimed is not believed.
        let mut items = Vec::with_capacity(length.min(self.rest.len()).min(MOST_AT_ONCE));
        for _ in 0..length {
            items.push(self.value(depth + 1)?);
        }
        Ok(items)
    }

    fn map(&mut self, depth: usize) -> Read<Dynamic> {
        let mut map = rhai::Map::new();
        for _ in 0..self.number()? {
            let key = self.text()?.into();
            map.insert(key, self.value(depth + 1)?);
        }
        Ok(Dynamic::from_map(map))
    }

    fn pointer(&mut self, closure: bool, depth: usize) -> Read<Dynamic> {
        let mut pointer = if closure {
            let (source, place) = (self.number()?, self.number()?);
            let function = self.closures.get(source).and_then(|closures| closures.get(place));
            FnPtr::from(Shared::clone(function.ok_or_else(damaged)?))
        } else {
            let name = self.text()?;
            match self.functions.get(name) {
                Some(Some(function)) => FnPtr::from(Shared::clone(function)),
                _ => FnPtr::new(name).map_err(|_| damaged())?,
            }
        };
        pointer.set_curry(self.items(depth)?);
        Ok(pointer.into())
    }

    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn text(&mut self) -> Read<&'a str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| damaged())
    }

    fn integer(&mut self) -> Read<i64> {
        let n = self.number64()?;
        Ok((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    pub(super) fn number(&mut self) -> Read<usize> {
        usize::try_from(self.number64()?).map_err(|_| damaged())
    }

    fn number64(&mut self) -> Read<u64> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first().ok_or_else(damaged)?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(damaged())
    }
}
