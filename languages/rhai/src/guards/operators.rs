//! Checks for where memory is not counted: no single string or array grows beyond the limit.
//!
//! With these in place the engine's shortcut for operators is off, which costs time; where memory is counted, the look
//! before each operation makes them unnecessary.

use super::{guard, text_len};
use crate::control::{Control, Rhaied};
use rhai::{Array, Dynamic, Engine, ImmutableString};
use std::any::TypeId;
use std::sync::Arc;

pub(super) fn register(engine: &mut Engine, control: &Arc<Control>) {
    engine.set_fast_operators(false);
    let text = TypeId::of::<ImmutableString>();
    guard(engine, control, "+", &[text, text], |args| text_len(args[0]) + text_len(args[1]));
    let here = Arc::clone(control);
    engine.register_fn("+=", move |string: &mut ImmutableString, other: ImmutableString| -> Rhaied<()> {
        here.reserve((string.len() + other.len()) as u64)?;
        *string += other;
        Ok(())
    });
    for name in ["push", "+="] {
        let here = Arc::clone(control);
        engine.register_fn(name, move |items: &mut Array, item: Dynamic| -> Rhaied<()> {
            here.reserve(cells(items.len() + 1))?;
            items.push(item);
            Ok(())
        });
    }
    for name in ["append", "+="] {
        let here = Arc::clone(control);
        engine.register_fn(name, move |items: &mut Array, more: Array| -> Rhaied<()> {
            here.reserve(cells(items.len() + more.len()))?;
            items.extend(more);
            Ok(())
        });
    }
    let here = Arc::clone(control);
    engine.register_fn("+", move |mut items: Array, more: Array| -> Rhaied<Array> {
        here.reserve(cells(items.len() + more.len()))?;
        items.extend(more);
        Ok(items)
    });
}

fn cells(count: usize) -> u64 {
    count as u64 * size_of::<Dynamic>() as u64
}
