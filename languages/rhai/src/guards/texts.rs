use super::text_len;
use crate::control::{Control, Rhaied, error};
use crate::convert::{ToJson, from_json, size_in_rhai};
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
                // A blob's text has at most six characters for a byte.
                here.reserve(args[0].as_blob_ref().map_or(0, |blob| blob.len() as u64 * 6))?;
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
    register_json(engine, control);
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
