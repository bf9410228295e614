//! The text of a value, as `print` and string interpolation show it, within a bound on its length.
//!
//! Rhai's own would write whatever it takes: an array that holds one string a thousand times is a thousand times as
//! long as what it costs in memory, and one that holds itself has no end.

use rhai::{Array, Dynamic, FnPtr, Map};
use std::fmt::{self, Write as _};

/// How deep text follows containers into each other; what is deeper is an ellipsis.
const DEPTH: usize = 100;

/// A string that refuses to grow beyond a bound.
struct Bounded {
    text: String,
    most: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.most - self.text.len();
        if part.len() > room {
            self.text.push_str(&part[..part.floor_char_boundary(room)]);
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

/// The text of a value in the form of Rhai's `to_string`, or nothing where it is longer than `most` bytes.
pub(crate) fn display(value: &Dynamic, most: u64) -> Option<String> {
    bounded(most, |out| {
        if value.is_unit() {
            return Ok(());
        }
        if let Ok(text) = value.as_immutable_string_ref() {
            return out.write_str(&text);
        }
        let composed = value.is_array() || value.is_map() || value.is_fnptr();
        if composed { write(out, value, 0) } else { write!(out, "{value}") }
    })
}

/// The text of a value in the form of Rhai's `to_debug`, or nothing where it is longer than `most` bytes.
pub(crate) fn debug(value: &Dynamic, most: u64) -> Option<String> {
    bounded(most, |out| write(out, value, 0))
}

/// The text of a value in the form of Rhai's `to_debug`, cut to `most` bytes; and whether it was cut.
pub(crate) fn cut(value: &Dynamic, most: usize) -> (String, bool) {
    let mut out = Bounded { text: String::new(), most };
    let whole = write(&mut out, value, 0).is_ok();
    (out.text, !whole)
}

/// The text of an array, by the same rules.
pub(crate) fn array(items: &Array, most: u64) -> Option<String> {
    bounded(most, |out| write_array(out, items, 0))
}

/// The text of a map, by the same rules.
pub(crate) fn map(map: &Map, most: u64) -> Option<String> {
    bounded(most, |out| write_map(out, map, 0))
}

fn bounded(most: u64, write: impl FnOnce(&mut Bounded) -> fmt::Result) -> Option<String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut out = Bounded { text: String::new(), most };
    write(&mut out).ok().map(|()| out.text)
}

fn write(out: &mut Bounded, value: &Dynamic, depth: usize) -> fmt::Result {
    if depth > DEPTH {
        return out.write_str("…");
    }
    if value.is_shared() {
        // Its own text would say so.
        return match value.read_lock::<Dynamic>() {
            Some(inner) => write(out, &inner, depth),
            None => out.write_str("…"),
        };
    }
    if let Ok(items) = value.as_array_ref() {
        return write_array(out, &items, depth);
    }
    if let Ok(map) = value.as_map_ref() {
        return write_map(out, &map, depth);
    }
    if let Some(function) = value.read_lock::<FnPtr>() {
        // With curried arguments its own text would follow them without a bound.
        return write!(out, "Fn({})", function.fn_name());
    }
    write!(out, "{value:?}")
}

fn write_array(out: &mut Bounded, items: &Array, depth: usize) -> fmt::Result {
    out.write_str("[")?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write(out, item, depth + 1)?;
    }
    out.write_str("]")
}

fn write_map(out: &mut Bounded, map: &Map, depth: usize) -> fmt::Result {
    out.write_str("#{")?;
    for (index, (key, item)) in map.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write!(out, "{key:?}: ")?;
        write(out, item, depth + 1)?;
    }
    out.write_str("}")
}
