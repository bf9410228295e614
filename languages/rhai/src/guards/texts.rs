use super::text_len;
use crate::control::{Control, Rhaied, error};
use crate::convert::{ToJson, from_json, size_in_rhai};
use crate::interpolation::TEXT;
use crate::text;
use rhai::{Array, Blob, Dynamic, Engine, FnPtr, ImmutableString, Map};
use serde_json::Value;
use skills_core::{Breach, LimitName};
use std::any::TypeId;
use std::sync::Arc;

/// What is made with a text next, a longer string, holds it a second time; and building it took some room to grow.
const COPIES: u64 = 4;

/// The functions that make text of anything.
const NAMES: [&str; 4] = ["print", "debug", "to_string", "to_debug"];

pub(super) fn register(engine: &mut Engine, control: &Arc<Control>) {
    for name in NAMES {
        let here = Arc::clone(control);
        engine.register_fn(name, move |items: &mut Array| within(&here, |most| text::array(items, most)));
        let here = Arc::clone(control);
        engine.register_fn(name, move |map: &mut Map| within(&here, |most| text::map(map, most)));
        for other in [TypeId::of::<Blob>(), TypeId::of::<FnPtr>()] {
            let here = Arc::clone(control);
            engine.register_raw_fn(name, [other], move |_, args| -> Rhaied<Dynamic> {
                here.reserve(blob_text(args[0]))?;
                within(&here, |most| text::debug(args[0], most)).map(Dynamic::from)
            });
        }
    }
    for name in ["debug", "to_debug"] {
        let here = Arc::clone(control);
        engine.register_raw_fn(name, [TypeId::of::<ImmutableString>()], move |_, args| -> Rhaied<Dynamic> {
            within(&here, |most| text::debug(args[0], most)).map(Dynamic::from)
        });
    }
    register_text(engine, control);
    register_concatenation(engine, control);
    register_json(engine, control);
}

/// What interpolations are compiled to call.
fn register_text(engine: &mut Engine, control: &Arc<Control>) {
    let here = Arc::clone(control);
    // The argument may be the script's own variable: it is read, never taken.
    engine.register_raw_fn(TEXT, [TypeId::of::<Dynamic>()], move |_, args| -> Rhaied<Dynamic> {
        shown(&here, args[0]).map(Dynamic::from)
    });
}

/// A string and anything: Rhai's own falls back to text without a bound where it is stopped.
fn register_concatenation(engine: &mut Engine, control: &Arc<Control>) {
    let text = TypeId::of::<ImmutableString>();
    let any = TypeId::of::<Dynamic>();
    for types in [[text, any], [any, text]] {
        let here = Arc::clone(control);
        engine.register_raw_fn("+", types, move |_, args| -> Rhaied<Dynamic> {
            Ok((shown(&here, args[0])? + shown(&here, args[1])?).into())
        });
    }
    for name in ["+=", "append"] {
        let here = Arc::clone(control);
        engine.register_fn(name, move |string: &mut ImmutableString, other: Dynamic| -> Rhaied<()> {
            *string += shown(&here, &other)?;
            Ok(())
        });
    }
}

/// The text of a value as `to_string` gives it.
fn shown(control: &Control, value: &Dynamic) -> Rhaied<ImmutableString> {
    match value.as_immutable_string_ref() {
        Ok(text) => Ok(text.clone()),
        Err(_) => {
            control.reserve(blob_text(value))?;
            within(control, |most| text::display(value, most))
        }
    }
}

/// The most bytes that the text of a blob takes: six characters for each of its own.
fn blob_text(value: &Dynamic) -> u64 {
    value.as_blob_ref().map_or(0, |blob| blob.len() as u64 * 6)
}

/// Makes a text no longer than there is memory for.
fn within(control: &Control, make: impl FnOnce(u64) -> Option<String>) -> Rhaied<ImmutableString> {
    let left = control.memory.left();
    match make(left / COPIES) {
        Some(text) => Ok(text.into()),
        None => {
            let limit = control.memory.limit();
            Err(control.stop(Breach { name: LimitName::Memory, limit, reading: limit.saturating_add(1) }))
        }
    }
}

fn register_json(engine: &mut Engine, control: &Arc<Control>) {
    let here = Arc::clone(control);
    let to_json = move |value: &Dynamic| -> Rhaied<ImmutableString> {
        let json = ToJson::new("value", None, &here.memory).value(value).map_err(|failure| match failure.limit {
            Some(breach) => here.stop(breach),
            None => error(failure.message),
        })?;
        Ok(json.to_string().into())
    };
    for container in [TypeId::of::<Map>(), TypeId::of::<Array>()] {
        let to_json = to_json.clone();
        engine.register_raw_fn("to_json", [container], move |_, args| to_json(args[0]).map(Dynamic::from));
    }
    let here = Arc::clone(control);
    engine.register_raw_fn("parse_json", [TypeId::of::<ImmutableString>()], move |_, args| -> Rhaied<Dynamic> {
        let Ok(json) = args[0].as_immutable_string_ref() else { return Ok(Dynamic::UNIT) };
        // The densest JSON is an array of digits: two bytes of it make one value.
        here.reserve(text_len(args[0]).div_ceil(2) * size_of::<Value>() as u64)?;
        let value: Value = serde_json::from_str(&json).map_err(|wrong| error(format!("not JSON: {wrong}")))?;
        here.reserve(size_in_rhai(&value))?;
        Ok(from_json(&value))
    });
}
