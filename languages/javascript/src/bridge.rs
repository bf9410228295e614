//! The half of a script's world that is written in JavaScript, and how it is called.

use crate::engine::Fault;
use crate::heap::{Heap, StopFlag};
use crate::natives;
use deno_core::v8;
use skills_core::value::{ELEMENT_COST, MEMBER_COST};
use skills_core::{ErrorKind, Failure, FunctionSpec, Host};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The name of the bridge in stack traces. Frames of it are never shown.
const BRIDGE_NAME: &str = "skills:bridge";

/// The bridge: one function's body, in parts that each hold one concern.
const BRIDGE: &str = concat!(
    include_str!("bridge/values.js"),
    include_str!("bridge/errors.js"),
    include_str!("bridge/console.js"),
    include_str!("bridge/run.js"),
    include_str!("bridge/link.js"),
    include_str!("bridge/extras.js"),
    include_str!("bridge/harden.js"),
);

/// The part of the bridge for living sessions: a function's body as well.
pub(crate) const LIVE_NAME: &str = "skills:live";
pub(crate) const LIVE: &str = concat!(
    include_str!("bridge/live/space.js"),
    include_str!("bridge/live/display.js"),
    include_str!("bridge/live/keep.js"),
    include_str!("bridge/live/restore.js"),
    include_str!("bridge/live/members.js"),
    include_str!("bridge/live/end.js"),
);

/// What the bridge hands back to the host.
pub(crate) struct Bridge {
    pub(crate) offer: v8::Global<v8::Function>,
    pub(crate) linked: v8::Global<v8::Function>,
    pub(crate) run: v8::Global<v8::Function>,
    pub(crate) poll: v8::Global<v8::Function>,
    pub(crate) tick: v8::Global<v8::Function>,
    pub(crate) count: v8::Global<v8::Function>,
    pub(crate) depth: v8::Global<v8::Function>,
    pub(crate) unharmed: v8::Global<v8::Function>,
    pub(crate) finished: v8::Global<v8::Function>,
    pub(crate) rested: v8::Global<v8::Function>,
    pub(crate) core: v8::Global<v8::Function>,
    pub(crate) fixed: v8::Global<v8::Function>,
    /// The functions of a living session, by their names.
    pub(crate) live: RefCell<HashMap<String, v8::Global<v8::Function>>>,
}

/// The functions of a living session.
pub(crate) const LIVE_FUNCTIONS: &[&str] = &[
    "evaluate",
    "unsettled",
    "operations",
    "variables",
    "get",
    "set",
    "members",
    "inspected",
    "snapshot",
    "made",
    "restore",
];

pub(crate) fn unavailable(why: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Unavailable, format!("the JavaScript engine did not start: {}", why.into()))
}

pub(crate) fn build(
    isolate: &mut v8::OwnedIsolate,
    stop: &Arc<StopFlag>,
) -> Result<(Heap, Bridge, v8::Global<v8::Context>), Failure> {
    v8::scope!(let scope, isolate);
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let heap = Heap::attach(scope, context, Arc::clone(stop))
        .ok_or_else(|| unavailable("its memory cannot be bounded with this version of the engine"))?;
    heap.start(None);
    let bridge = build_bridge(scope).map_err(|fault| unavailable(format!("{fault:?}")))?;
    heap.run_microtasks(scope);
    Ok((heap, bridge, v8::Global::new(scope, context)))
}

fn build_bridge(scope: &mut v8::PinScope<'_, '_>) -> Result<Bridge, Fault> {
    let setup =
        compile_function(scope, BRIDGE_NAME, BRIDGE, &["print", "call", "exceeded", "called", "ELEMENT", "MEMBER"], 0)?;
    let missing = || Fault::stopped("a function of the bridge cannot be made");
    let arguments = [
        v8::Function::new(scope, natives::print).ok_or_else(missing)?.into(),
        v8::Function::new(scope, natives::call).ok_or_else(missing)?.into(),
        v8::Function::new(scope, natives::exceeded).ok_or_else(missing)?.into(),
        v8::Function::new(scope, natives::called).ok_or_else(missing)?.into(),
        v8::Number::new(scope, ELEMENT_COST as f64).into(),
        v8::Number::new(scope, MEMBER_COST as f64).into(),
    ];
    let made = call(scope, &setup, &arguments)?;
    let made = v8::Local::<v8::Object>::try_from(made).map_err(|_| missing())?;
    let mut take = |name: &str| -> Result<v8::Global<v8::Function>, Fault> {
        let key = text(scope, name)?;
        let found = made.get(scope, key.into()).ok_or_else(missing)?;
        let function = v8::Local::<v8::Function>::try_from(found).map_err(|_| missing())?;
        Ok(v8::Global::new(scope, function))
    };
    Ok(Bridge {
        offer: take("offer")?,
        linked: take("linked")?,
        run: take("run")?,
        poll: take("poll")?,
        tick: take("tick")?,
        count: take("count")?,
        depth: take("depth")?,
        unharmed: take("unharmed")?,
        finished: take("finished")?,
        rested: take("rested")?,
        core: take("core")?,
        fixed: take("fixed")?,
        live: RefCell::default(),
    })
}

/// The host's functions as the bridge reads them.
pub(crate) fn describe(host: &Arc<dyn Host>) -> String {
    let one =
        |(index, spec): (usize, &FunctionSpec)| serde_json::json!({"name": spec.name, "global": host.is_global(index)});
    serde_json::Value::Array(host.functions().iter().enumerate().map(one).collect()).to_string()
}

pub(crate) fn text<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> Result<v8::Local<'s, v8::String>, Fault> {
    v8::String::new(scope, text).ok_or_else(|| Fault::stopped("a string is too long for the engine"))
}

pub(crate) fn compile_function(
    scope: &mut v8::PinScope<'_, '_>,
    name: &str,
    body: &str,
    parameters: &[&str],
    line_offset: i32,
) -> Result<v8::Global<v8::Function>, Fault> {
    let code = text(scope, body)?;
    let resource = text(scope, name)?.into();
    let origin = v8::ScriptOrigin::new(scope, resource, line_offset, 0, false, 0, None, false, false, false, None);
    let mut source = v8::script_compiler::Source::new(code, Some(&origin));
    let parameters = parameters.iter().map(|name| text(scope, name)).collect::<Result<Vec<_>, _>>()?;
    v8::tc_scope!(let scope, scope);
    let function = v8::script_compiler::compile_function(
        scope,
        &mut source,
        &parameters,
        &[],
        v8::script_compiler::CompileOptions::NoCompileOptions,
        v8::script_compiler::NoCacheReason::NoReason,
    );
    if let Some(function) = function {
        return Ok(v8::Global::new(scope, function));
    }
    let Some(error) = scope.exception() else {
        return Err(Fault::stopped("the script could not be compiled"));
    };
    let message = error.to_rust_string_lossy(scope);
    let stack = stack(scope, error).unwrap_or_default();
    Err(Fault::Syntax(message, stack))
}

/// The stack of an error.
fn stack(scope: &mut v8::PinScope<'_, '_>, error: v8::Local<'_, v8::Value>) -> Option<String> {
    let error = v8::Local::<v8::Object>::try_from(error).ok()?;
    let key = v8::String::new(scope, "stack")?;
    Some(error.get(scope, key.into())?.to_rust_string_lossy(scope))
}

pub(crate) fn call<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    function: &v8::Global<v8::Function>,
    arguments: &[v8::Local<'s, v8::Value>],
) -> Result<v8::Local<'s, v8::Value>, Fault> {
    let function = v8::Local::new(scope, function);
    let receiver = v8::undefined(scope).into();
    v8::tc_scope!(let scope, scope);
    match function.call(scope, receiver, arguments) {
        Some(value) => Ok(value),
        None => {
            let (mut why, mut at) = (None, None);
            // While execution is being ended, the engine shows another error than the one that knows where it was; and
            // whoever ends it says so again and again.
            for _ in 0..5 {
                scope.cancel_terminate_execution();
                let error = scope.exception();
                why = error.map(|error| error.to_rust_string_lossy(scope));
                at = error.and_then(|error| stack(scope, error));
                if why.as_ref().is_none_or(|why| !why.ends_with("execution terminated")) {
                    break;
                }
            }
            scope.reset();
            Err(Fault::Stopped(why.unwrap_or_else(|| "execution was ended".into()), at.unwrap_or_default()))
        }
    }
}
