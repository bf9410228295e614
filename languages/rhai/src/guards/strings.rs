use super::{count, guard, text_len};
use crate::control::Control;
use rhai::{Array, Dynamic, Engine, ImmutableString};
use std::any::TypeId;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// What one short string in an array takes, with room for the array to have grown: a cell, a shared header, a string.
const PIECE: u64 = 80;

/// Below this many bytes a bound is not worth computing exactly.
const TRIFLE: u64 = 64 << 10;

pub(super) fn register(engine: &mut Engine, control: &Arc<Control>) {
    let text = TypeId::of::<ImmutableString>();
    let ch = TypeId::of::<char>();
    let int = TypeId::of::<i64>();

    for name in ["split", "split_rev"] {
        for types in [&[text, text][..], &[text, ch], &[text, text, int], &[text, ch, int]] {
            guard(engine, control, name, types, pieces);
        }
    }
    guard(engine, control, "split", &[text], |args| text_len(args[0]).div_ceil(2) * PIECE + text_len(args[0]));
    guard(engine, control, "to_chars", &[text], |args| text_len(args[0]) * 2 * size_of::<Dynamic>() as u64);
    let (range, inclusive) = (TypeId::of::<Range<i64>>(), TypeId::of::<RangeInclusive<i64>>());
    for types in [&[text][..], &[text, range], &[text, inclusive], &[text, int], &[text, int, int]] {
        guard(engine, control, "chars", types, |args| text_len(args[0]) * 8);
    }
    guard(engine, control, "get$chars", &[text], |args| text_len(args[0]) * 8);

    for (find, substitute) in [(text, text), (text, ch), (ch, text), (ch, ch)] {
        guard(engine, control, "replace", &[text, find, substitute], replaced);
    }
    for substitute in [ch, text] {
        guard(engine, control, "pad", &[text, int, substitute], |args| {
            let unit = if args[2].is_string() { text_len(args[2]) } else { 4 };
            text_len(args[0]).saturating_add(count(args[1]).saturating_mul(4)).saturating_add(unit)
        });
    }
    guard(engine, control, "pad", &[TypeId::of::<Array>(), int, TypeId::of::<Dynamic>()], |args| {
        count(args[1]).saturating_mul(size_of::<Dynamic>() as u64 + copied(args[2]))
    });
    for name in ["to_upper", "to_lower", "make_upper", "make_lower"] {
        guard(engine, control, name, &[text], |args| text_len(args[0]) * 3);
    }
}

/// How often a string argument holds another one or a character.
fn occurrences(text: &Dynamic, find: &Dynamic) -> u64 {
    let Ok(text) = text.as_immutable_string_ref() else { return 0 };
    let found = match (find.as_char(), find.as_immutable_string_ref()) {
        (Ok(c), _) => text.matches(c).count(),
        (_, Ok(s)) => text.matches(s.as_str()).count(),
        _ => 0,
    };
    found as u64
}

fn pieces(args: &[&mut Dynamic]) -> u64 {
    let len = text_len(args[0]);
    let worst = (len + 1) * PIECE + len;
    if worst <= TRIFLE {
        return worst;
    }
    let most = args.get(2).map_or(u64::MAX, |segments| count(segments).max(1));
    (occurrences(args[0], args[1]) + 1).min(most).saturating_mul(PIECE) + len
}

fn replaced(args: &[&mut Dynamic]) -> u64 {
    let len = text_len(args[0]);
    let unit = if args[2].is_string() { text_len(args[2]) } else { 4 };
    let worst = (len + 1).saturating_mul(unit.max(1)) + len;
    if worst <= TRIFLE {
        return worst;
    }
    // A string that grows as it is built may have twice the room it needs.
    (occurrences(args[0], args[1]).saturating_mul(unit) + len).saturating_mul(2)
}

/// The bytes that a copy of a value takes on the heap. Strings are shared.
fn copied(value: &Dynamic) -> u64 {
    const HEADER: u64 = 24;
    const NODE: u64 = 64;
    if let Ok(items) = value.as_array_ref() {
        return HEADER + items.iter().map(|item| size_of::<Dynamic>() as u64 + copied(item)).sum::<u64>();
    }
    if let Ok(map) = value.as_map_ref() {
        return HEADER + map.values().map(|item| NODE + copied(item)).sum::<u64>();
    }
    value.as_blob_ref().map_or(0, |blob| HEADER + blob.len() as u64)
}
