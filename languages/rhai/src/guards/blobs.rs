use super::{count, guard, text_len};
use crate::control::Control;
use rhai::{Blob, Dynamic, Engine, ImmutableString};
use std::any::TypeId;
use std::sync::Arc;

pub(super) fn register(engine: &mut Engine, control: &Arc<Control>) {
    let blob = TypeId::of::<Blob>();
    let text = TypeId::of::<ImmutableString>();
    let int = TypeId::of::<i64>();

    guard(engine, control, "blob", &[int], |args| count(args[0]));
    guard(engine, control, "blob", &[int, int], |args| count(args[0]));
    guard(engine, control, "pad", &[blob, int, int], |args| count(args[1]));
    guard(engine, control, "to_array", &[blob], |args| len(args[0]) * size_of::<Dynamic>() as u64);
    // A byte that is no text becomes a replacement character of three.
    guard(engine, control, "as_string", &[blob], |args| len(args[0]) * 3);
    for name in ["+", "+=", "append"] {
        guard(engine, control, name, &[text, blob], |args| text_len(args[0]) + len(args[1]) * 3);
    }
    guard(engine, control, "+", &[blob, text], |args| len(args[0]) * 3 + text_len(args[1]));
}

fn len(arg: &Dynamic) -> u64 {
    arg.as_blob_ref().map_or(0, |blob| blob.len() as u64)
}
