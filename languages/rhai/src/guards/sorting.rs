//! Sorting and removing duplicates by a function of the script's.
//!
//! Rhai's own go on where that function fails, so that a script could throw in it, or pass its limits, without a word.

use crate::control::{Control, Rhaied, error};
use rhai::{Array, Dynamic, Engine, FnPtr, NativeCallContext};
use std::cmp::Ordering;
use std::sync::Arc;

/// What sorting takes for each element: its place, twice, and a cell for a copy.
const ELEMENT: u64 = (2 * size_of::<usize>() + size_of::<Dynamic>()) as u64;

pub(super) fn register(engine: &mut Engine, control: &Arc<Control>) {
    for name in ["sort", "sort_by"] {
        let here = Arc::clone(control);
        engine.register_fn(name, move |context: NativeCallContext<'_>, items: &mut Array, by: FnPtr| -> Rhaied<()> {
            let order = order(&here, &context, items, &by)?;
            *items = order.into_iter().filter_map(|place| items.get_mut(place).map(Dynamic::take)).collect();
            Ok(())
        });
    }
    for name in ["order", "order_by"] {
        let here = Arc::clone(control);
        engine.register_fn(
            name,
            move |context: NativeCallContext<'_>, items: &mut Array, by: FnPtr| -> Rhaied<Array> {
                let order = order(&here, &context, items, &by)?;
                Ok(order.into_iter().filter_map(|place| items.get(place).cloned()).collect())
            },
        );
    }
    let here = Arc::clone(control);
    engine.register_fn("dedup", move |context: NativeCallContext<'_>, items: &mut Array, same: FnPtr| -> Rhaied<()> {
        here.reserve(items.len() as u64)?;
        let mut kept = Vec::with_capacity(items.len());
        let mut last: Option<&Dynamic> = None;
        for item in items.iter() {
            let repeats = match last {
                Some(last) => same.call_raw(&context, None, [last.clone(), item.clone()])?.as_bool().unwrap_or(false),
                None => false,
            };
            if !repeats {
                last = Some(item);
            }
            kept.push(!repeats);
        }
        let mut kept = kept.into_iter();
        items.retain(|_| kept.next().unwrap_or(true));
        Ok(())
    });
}

/// The places of the elements in the order in which they belong; equal ones stay as they are.
///
/// A merge sort: whatever the function answers, it ends after the usual number of calls and loses no element. The
/// elements stay where they are, so that nothing has changed where the function fails.
fn order(control: &Control, context: &NativeCallContext<'_>, items: &Array, by: &FnPtr) -> Rhaied<Vec<usize>> {
    let len = items.len();
    control.reserve((len as u64).saturating_mul(ELEMENT))?;
    let mut sorted: Vec<usize> = (0..len).collect();
    let mut merged: Vec<usize> = Vec::with_capacity(len);
    let mut width = 1;
    while width < len {
        merged.clear();
        for pair in sorted.chunks(width * 2) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some((a, after_a)), Some((b, after_b))) = (left.split_first(), right.split_first()) {
                if compare(context, by, &items[*a], &items[*b])? == Ordering::Greater {
                    merged.push(*b);
                    right = after_b;
                } else {
                    merged.push(*a);
                    left = after_a;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut sorted, &mut merged);
        width *= 2;
    }
    Ok(sorted)
}

/// What the script's function says of two elements.
fn compare(context: &NativeCallContext<'_>, by: &FnPtr, a: &Dynamic, b: &Dynamic) -> Rhaied<Ordering> {
    let answer = by.call_raw(context, None, [a.clone(), b.clone()])?;
    if let Ok(number) = answer.as_int() {
        return Ok(number.cmp(&0));
    }
    if let Ok(number) = answer.as_float() {
        return Ok(number.partial_cmp(&0.0).unwrap_or(Ordering::Equal));
    }
    match answer.as_bool() {
        Ok(true) => Ok(Ordering::Less),
        Ok(false) => Ok(Ordering::Greater),
        Err(other) => {
            Err(error(format!("the function to sort by must return a number, or whether a comes first, not {other}")))
        }
    }
}
