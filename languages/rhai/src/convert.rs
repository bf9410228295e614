//! JSON to Rhai and back.
//!
//! Everything that JSON holds comes in whole, but for integers beyond `i64`, which Rhai has not: they arrive as the
//! description that [`describe_integer`] makes, as a map. Out of Rhai, a character is a string, a blob is described
//! with all its bytes, and functions, timestamps and ranges are described.

use crate::memory::MemoryCap;
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};
use serde_json::{Number, Value};
use skills_core::Failure;
use skills_core::value::{Meter, describe, describe_bytes, describe_integer};
use std::ops::{Range, RangeInclusive};

/// A JSON value in Rhai.
pub(crate) fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => from_number(n),
        Value::String(s) => ImmutableString::from(s.as_str()).into(),
        Value::Array(items) => Dynamic::from_array(items.iter().map(from_json).collect()),
        Value::Object(map) => {
            Dynamic::from_map(map.iter().map(|(key, item)| (key.as_str().into(), from_json(item))).collect())
        }
    }
}

fn from_number(n: &Number) -> Dynamic {
    match (n.as_i64(), n.as_u64(), n.as_f64()) {
        (Some(i), ..) => i.into(),
        (None, Some(_), _) => from_json(&describe_integer(&n.to_string())),
        (None, None, Some(f)) => f.into(),
        (None, None, None) => from_json(&describe_integer(&n.to_string())),
    }
}

/// About how many bytes a JSON value takes in Rhai: a little more than it does.
pub(crate) fn size_in_rhai(value: &Value) -> u64 {
    const CELL: u64 = size_of::<Dynamic>() as u64;
    const HEADER: u64 = 40;
    const NODE: u64 = 32;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => CELL,
        Value::String(s) => CELL + HEADER + s.len() as u64,
        Value::Array(items) => CELL + HEADER + items.iter().map(size_in_rhai).sum::<u64>(),
        Value::Object(map) => {
            CELL + HEADER + map.iter().map(|(key, item)| NODE + key.len() as u64 + size_in_rhai(item)).sum::<u64>()
        }
    }
}

/// Turns Rhai values into JSON within a meter's bounds and the memory limit.
pub(crate) struct ToJson<'a> {
    meter: Meter,
    memory: &'a MemoryCap,
    /// The containers that the walk is inside of, by address: only a value that closures share can hold itself.
    inside: Vec<*const ()>,
}

impl<'a> ToJson<'a> {
    /// A conversion of what errors call `root`, to at most `limit` bytes of JSON.
    pub(crate) fn new(root: &'static str, limit: Option<u64>, memory: &'a MemoryCap) -> ToJson<'a> {
        ToJson { meter: Meter::new(root, limit), memory, inside: Vec::new() }
    }

    /// The JSON of a value.
    ///
    /// # Errors
    /// A breach of the result or memory limit, not to be raised before it is recorded with the budget; or a script
    /// error for what JSON cannot hold.
    pub(crate) fn value(&mut self, value: &Dynamic) -> Result<Value, Failure> {
        if value.is_unit() {
            self.meter.charge(4)?;
            Ok(Value::Null)
        } else if let Ok(b) = value.as_bool() {
            self.meter.charge(if b { 4 } else { 5 })?;
            Ok(Value::Bool(b))
        } else if let Ok(i) = value.as_int() {
            self.meter.charge(digits(i))?;
            Ok(Value::from(i))
        } else if let Ok(f) = value.as_float() {
            self.float(f)
        } else if let Ok(s) = value.as_immutable_string_ref() {
            self.string(&s)
        } else if let Ok(c) = value.as_char() {
            self.string(c.encode_utf8(&mut [0; 4]))
        } else if let Ok(items) = value.as_array_ref() {
            self.array(&items)
        } else if let Ok(map) = value.as_map_ref() {
            self.map(&map)
        } else if let Ok(bytes) = value.as_blob_ref() {
            self.blob(&bytes)
        } else {
            let described = describe_other(value);
            self.meter.charge(described.to_string().len())?;
            Ok(described)
        }
    }

    fn float(&mut self, f: f64) -> Result<Value, Failure> {
        let Some(number) = Number::from_f64(f) else {
            let shown = if f.is_nan() { "NaN" } else { "infinite" };
            return Err(self.meter.not_finite(shown));
        };
        self.meter.charge(number.to_string().len())?;
        Ok(Value::Number(number))
    }

    fn string(&mut self, s: &str) -> Result<Value, Failure> {
        self.meter.charge(quoted(s))?;
        self.take(s.len())?;
        Ok(Value::String(s.to_owned()))
    }

    fn array(&mut self, items: &Array) -> Result<Value, Failure> {
        self.inside(std::ptr::from_ref(items).cast(), |this| {
            this.meter.charge(2 + items.len().saturating_sub(1))?;
            this.take(items.len().saturating_mul(size_of::<Value>()))?;
            let mut out = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                this.meter.enter_index(index)?;
                out.push(this.value(item)?);
                this.meter.leave();
            }
            Ok(Value::Array(out))
        })
    }

    fn map(&mut self, map: &Map) -> Result<Value, Failure> {
        self.inside(std::ptr::from_ref(map).cast(), |this| {
            this.meter.charge(2 + map.len().saturating_sub(1))?;
            this.take(map.len().saturating_mul(2 * size_of::<Value>()))?;
            let mut out = serde_json::Map::with_capacity(map.len());
            for (key, item) in map {
                this.meter.charge(quoted(key) + 1)?;
                this.meter.enter_key(key)?;
                let item = this.value(item)?;
                this.meter.leave();
                out.insert(key.to_string(), item);
            }
            Ok(Value::Object(out))
        })
    }

    fn blob(&mut self, bytes: &Blob) -> Result<Value, Failure> {
        let encoded = bytes.len().div_ceil(3) * 4;
        self.meter.charge(encoded + 44 + bytes.len().to_string().len())?;
        self.take(encoded)?;
        Ok(describe_bytes(bytes))
    }

    /// Walks a container, unless the walk is inside it already.
    fn inside(
        &mut self,
        address: *const (),
        walk: impl FnOnce(&mut Self) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        if self.inside.contains(&address) {
            let described = describe("cycle", "a container that holds itself");
            self.meter.charge(described.to_string().len())?;
            return Ok(described);
        }
        self.inside.push(address);
        let value = walk(self)?;
        self.inside.pop();
        Ok(value)
    }

    /// Fails where that many more bytes pass the memory limit.
    fn take(&self, bytes: usize) -> Result<(), Failure> {
        self.memory.check_more(bytes as u64).map_err(Failure::breach)
    }
}

/// The number of characters that an integer is written with.
fn digits(i: i64) -> usize {
    let digits = i.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1);
    digits + usize::from(i < 0)
}

/// The length of a string in JSON, with its quotes and escapes.
fn quoted(s: &str) -> usize {
    let escapes = s.bytes().map(|b| match b {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    });
    s.len() + 2 + escapes.sum::<usize>()
}

/// The description of a value that is neither data nor bytes.
fn describe_other(value: &Dynamic) -> Value {
    if let Some(function) = value.read_lock::<FnPtr>() {
        let name = function.fn_name();
        return match name {
            crate::host::SKILL => describe("module", "skill"),
            _ if function.is_anonymous() => describe("function", "closure"),
            _ => describe("function", &format!("Fn(\"{name}\")")),
        };
    }
    if let Some(range) = value.read_lock::<Range<i64>>() {
        return describe("range", &format!("{}..{}", range.start, range.end));
    }
    if let Some(range) = value.read_lock::<RangeInclusive<i64>>() {
        return describe("range", &format!("{}..={}", range.start(), range.end()));
    }
    if value.is_timestamp() {
        return describe("timestamp", "timestamp()");
    }
    let name = short_type(value.type_name());
    describe(name, &format!("<{name}>"))
}

/// The last part of a Rust type's path, without its parameters.
fn short_type(name: &str) -> &str {
    let bare = name.split('<').next().unwrap_or(name);
    bare.rsplit("::").next().unwrap_or(bare)
}
