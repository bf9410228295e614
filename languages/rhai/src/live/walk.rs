//! Walks through values that may be shared and hold themselves.

use super::library::is_closure;
use rhai::{Dynamic, FnPtr};
use std::collections::{HashMap, HashSet};

/// What tells shared values apart: where the value is that they share.
pub(super) fn identity(value: &Dynamic) -> Option<usize> {
    if !value.is_shared() {
        return None;
    }
    value.read_lock::<Dynamic>().map(|inner| std::ptr::from_ref(&*inner).addr())
}

/// About how many bytes a value holds; what is shared counts once.
pub(super) fn size(value: &Dynamic, seen: &mut HashSet<usize>) -> u64 {
    const CELL: u64 = size_of::<Dynamic>() as u64;
    const HEADER: u64 = 40;
    if let Some(place) = identity(value) {
        if !seen.insert(place) {
            return CELL;
        }
        return CELL + value.read_lock::<Dynamic>().map_or(0, |inner| size(&inner, seen));
    }
    let inside = if let Ok(text) = value.as_immutable_string_ref() {
        if seen.insert(text.as_ptr().addr()) { HEADER + text.len() as u64 } else { 0 }
    } else if let Ok(items) = value.as_array_ref() {
        HEADER + items.iter().map(|item| size(item, seen)).sum::<u64>()
    } else if let Ok(map) = value.as_map_ref() {
        HEADER + map.iter().map(|(key, item)| HEADER + key.len() as u64 + size(item, seen)).sum::<u64>()
    } else if let Ok(bytes) = value.as_blob_ref() {
        HEADER + bytes.len() as u64
    } else if let Some(pointer) = value.read_lock::<FnPtr>() {
        HEADER + pointer.iter_curry().map(|item| size(item, seen)).sum::<u64>()
    } else {
        0
    };
    CELL + inside
}

/// Adds the names of the closures that a value holds.
pub(super) fn closures_in(value: &Dynamic, seen: &mut HashSet<usize>, found: &mut HashSet<String>) {
    if let Some(place) = identity(value) {
        if seen.insert(place)
            && let Some(inner) = value.read_lock::<Dynamic>()
        {
            closures_in(&inner, seen, found);
        }
    } else if let Ok(items) = value.as_array_ref() {
        items.iter().for_each(|item| closures_in(item, seen, found));
    } else if let Ok(map) = value.as_map_ref() {
        map.values().for_each(|item| closures_in(item, seen, found));
    } else if let Some(pointer) = value.read_lock::<FnPtr>() {
        if is_closure(pointer.fn_name()) {
            found.insert(pointer.fn_name().to_owned());
        }
        pointer.iter_curry().for_each(|item| closures_in(item, seen, found));
    }
}

/// A copy that shares nothing with the original that can be changed; what is shared in it stays shared in the copy.
pub(super) fn copy(value: &Dynamic, made: &mut HashMap<usize, Dynamic>) -> Dynamic {
    if let Some(place) = identity(value) {
        if let Some(made) = made.get(&place) {
            return made.clone();
        }
        let shared = Dynamic::UNIT.into_shared();
        made.insert(place, shared.clone());
        let inner = value.read_lock::<Dynamic>().map(|inner| copy(&inner, made));
        fill(&shared, inner.unwrap_or(Dynamic::UNIT));
        return shared;
    }
    let tag = value.tag();
    let mut copied = if let Ok(items) = value.as_array_ref() {
        Dynamic::from_array(items.iter().map(|item| copy(item, made)).collect())
    } else if let Ok(map) = value.as_map_ref() {
        Dynamic::from_map(map.iter().map(|(key, item)| (key.clone(), copy(item, made))).collect())
    } else if let Some(pointer) = value.read_lock::<FnPtr>() {
        let mut copied = pointer.clone();
        copied.iter_curry_mut().for_each(|item| *item = copy(item, made));
        copied.into()
    } else {
        value.clone()
    };
    copied.set_tag(tag);
    copied
}

/// Puts a value into what is shared.
pub(super) fn fill(shared: &Dynamic, value: Dynamic) {
    // A clone of what is shared is the same value.
    let mut shared = shared.clone();
    if let Some(mut slot) = shared.write_lock::<Dynamic>() {
        *slot = value;
    }
}
