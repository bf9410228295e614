//! Rhai's own functions that make much out of little, each with a check of the size before it starts.
//!
//! The checks are registered under the same names and types, so the engine finds them first; the work is still done by
//! Rhai's packages, in an engine of their own.

mod blobs;
mod operators;
mod sorting;
mod strings;
mod texts;

use crate::control::{Control, Rhaied};
use rhai::packages::{Package, StandardPackage};
use rhai::{Dynamic, Engine};
use std::any::TypeId;
use std::sync::{Arc, LazyLock};

/// Registers every check.
///
/// Where memory is not counted while a script runs, its operators are checked too.
pub(crate) fn register(engine: &mut Engine, control: &Arc<Control>, counted: bool) {
    strings::register(engine, control);
    blobs::register(engine, control);
    texts::register(engine, control);
    sorting::register(engine, control);
    if !counted {
        operators::register(engine, control);
    }
}

/// Rhai's own functions: made once, shared by every engine.
pub(crate) static PACKAGES: LazyLock<StandardPackage> = LazyLock::new(StandardPackage::new);

/// An engine that has them as they are, without a check.
static PLAIN: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    PACKAGES.register_into_engine(&mut engine);
    engine
});

/// Registers a check in front of a function of the packages: `cost` says how many bytes a call can take.
fn guard(
    engine: &mut Engine,
    control: &Arc<Control>,
    name: &'static str,
    types: &[TypeId],
    cost: impl Fn(&[&mut Dynamic]) -> u64 + Send + Sync + 'static,
) {
    let control = Arc::clone(control);
    engine.register_raw_fn(name, types, move |_, args| -> Rhaied<Dynamic> {
        control.reserve(cost(args))?;
        let Some((this, rest)) = args.split_first_mut() else { return Ok(Dynamic::UNIT) };
        let rest: Vec<Dynamic> = rest.iter_mut().map(|arg| arg.take()).collect();
        PLAIN.eval_fn_call(name, Some(this), rest)
    });
}

/// The length of a string argument in bytes.
fn text_len(arg: &Dynamic) -> u64 {
    arg.as_immutable_string_ref().map_or(0, |s| s.len() as u64)
}

/// An integer argument as a count: what is negative counts nothing.
fn count(arg: &Dynamic) -> u64 {
    arg.as_int().ok().and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}
