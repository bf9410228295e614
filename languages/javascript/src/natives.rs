//! The three functions through which the bridge reaches the host, and what they share with the session.

use crate::convert;
use crate::heap::StopFlag;
use crate::live::Definitions;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deno_core::v8;
use serde_json::{Value, json};
use skills_core::{Arguments, Breach, ErrorKind, Failure, Host, LimitName, Stream};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

/// How many failures are remembered: a script may catch any number of them, in memory that no limit of its own counts.
const REMEMBERED: usize = 1000;

/// The last failures that were raised in a script, each known by how many came before it.
#[derive(Default)]
struct Raised {
    forgotten: usize,
    kept: VecDeque<Failure>,
}

impl Raised {
    fn next_id(&self) -> usize {
        self.forgotten + self.kept.len()
    }

    fn push(&mut self, failure: Failure) {
        if self.kept.len() == REMEMBERED {
            self.kept.pop_front();
            self.forgotten += 1;
        }
        self.kept.push_back(failure);
    }

    fn get(&self, id: i64) -> Option<&Failure> {
        self.kept.get(usize::try_from(id).ok()?.checked_sub(self.forgotten)?)
    }
}

/// What a run's calls into the host need. One for each isolate; bound to one run at a time.
pub(crate) struct Natives {
    run: RefCell<Option<Arc<dyn Host>>>,
    /// Failures that were raised in the script: where it lets one pass, the run fails with it.
    failures: RefCell<Raised>,
    /// What a living session knows of the functions and classes of its cells.
    pub(crate) definitions: RefCell<Definitions>,
    handle: v8::IsolateHandle,
    stop: Arc<StopFlag>,
}

impl Natives {
    pub(crate) fn new(handle: v8::IsolateHandle, stop: Arc<StopFlag>) -> Natives {
        Natives { run: RefCell::new(None), failures: RefCell::default(), definitions: RefCell::default(), handle, stop }
    }

    /// Binds the host of the run that begins.
    pub(crate) fn bind(&self, host: &Arc<dyn Host>) {
        *self.run.borrow_mut() = Some(Arc::clone(host));
        self.failures.take();
    }

    /// Unbinds the run: what a later call would reach is gone.
    pub(crate) fn forget(&self) {
        self.run.borrow_mut().take();
        self.failures.take();
    }

    /// A failure that was raised in the script, where it is still remembered.
    pub(crate) fn failure(&self, id: i64) -> Option<Failure> {
        self.failures.borrow().get(id).cloned()
    }

    fn host(&self) -> Option<Arc<dyn Host>> {
        self.run.borrow().clone()
    }

    /// Ends execution, for good: the run's verdict is in.
    fn halt(&self) {
        self.stop.set();
        self.handle.terminate_execution();
    }

    fn call(&self, index: usize, arguments: &str) -> String {
        let Some(host) = self.host() else { return refusal(&Failure::breach(stale()), -1) };
        let result = match serde_json::from_str::<Vec<Value>>(arguments) {
            Ok(arguments) => guarded(|| host.call(index, Arguments::positional(arguments))),
            Err(error) => {
                Err(Failure::new(ErrorKind::Internal, format!("the arguments of a call could not be read: {error}")))
            }
        };
        if host.budget().stopping() {
            self.halt();
        }
        match result {
            Ok(value) => {
                let (text, wide) = convert::encode(&value);
                if wide.is_empty() { format!("={text}") } else { format!("+{}", json!([text, wide])) }
            }
            Err(failure) => {
                let mut failures = self.failures.borrow_mut();
                let answer = refusal(&failure, failures.next_id() as i64);
                failures.push(failure);
                answer
            }
        }
    }
}

/// The engine's frames lie between here and whoever could catch a panic, and nothing unwinds through them.
fn guarded<R>(work: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::new(ErrorKind::Internal, "a function of the host panicked")))
}

/// A call without a run: a callback that outlived its own.
fn stale() -> Breach {
    Breach { name: LimitName::HostCalls, limit: 0, reading: 1 }
}

fn refusal(failure: &Failure, id: i64) -> String {
    let help = failure.help.as_deref().unwrap_or_default();
    format!("!{}", json!({"id": id, "kind": failure.kind.as_str(), "message": failure.message, "help": help}))
}

fn natives(scope: &v8::PinScope<'_, '_>) -> Option<Rc<Natives>> {
    scope.get_slot::<Rc<Natives>>().cloned()
}

/// Raises an error in the script. Where execution is being ended, that outranks it.
fn throw(scope: &mut v8::PinScope<'_, '_>, message: &str) {
    if let Some(message) = v8::String::new(scope, message) {
        let error = v8::Exception::error(scope, message);
        scope.throw_exception(error);
    }
}

/// `print(stream, text)`: 1 is stdout, 2 is stderr.
pub(crate) fn print(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(natives) = natives(scope) else { return };
    let Some(host) = natives.host() else { return };
    let stream = if arguments.get(0).int32_value(scope) == Some(2) { Stream::Stderr } else { Stream::Stdout };
    let text = arguments.get(1).to_rust_string_lossy(scope);
    if let Err(failure) = guarded(|| host.print(stream, &text)) {
        natives.halt();
        throw(scope, &failure.message);
    }
}

/// `call(index, arguments, operations)`: arguments and answer are JSON text, see `caller` in `bridge/run.js`; `operations` are
/// those that the script has counted, or -1.
pub(crate) fn call(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(natives) = natives(scope) else { return };
    let index = arguments.get(0).uint32_value(scope).unwrap_or(u32::MAX) as usize;
    let text = arguments.get(1).to_rust_string_lossy(scope);
    if let (Some(host), Some(own)) = (natives.host(), arguments.get(2).number_value(scope).filter(|own| *own > 0.0)) {
        host.budget().note_operations(own as u64);
    }
    let answer = natives.call(index, &text);
    match v8::String::new(scope, &answer) {
        Some(answer) => result.set(answer.into()),
        None => throw(scope, "the result of a host function is too large for the engine"),
    }
}

/// `called()`: the operations of all that the run has called so far.
pub(crate) fn called(
    scope: &mut v8::PinScope<'_, '_>,
    _: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let host = natives(scope).and_then(|natives| natives.host());
    result.set_double(host.map_or(0.0, |host| host.budget().called_operations() as f64));
}

/// `exceeded(which)`: a counter of an instrumented script passed its limit. 0 is operations, 1 is nested calls.
pub(crate) fn exceeded(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(natives) = natives(scope) else { return };
    let Some(host) = natives.host() else { return };
    let name =
        if arguments.get(0).int32_value(scope) == Some(1) { LimitName::Recursion } else { LimitName::Operations };
    let limit = host.budget().limits().get(name).unwrap_or(0);
    let failure = host.budget().breach(Breach { name, limit, reading: limit + 1 });
    natives.halt();
    throw(scope, &failure.message);
}

/// `nature(value)`: 1 for a proxy, 2 to 4 for a promise that is pending, fulfilled or rejected, 0 for anything else.
pub(crate) fn nature(
    _: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let value = arguments.get(0);
    if value.is_proxy() {
        return result.set_int32(1);
    }
    result.set_int32(match v8::Local::<v8::Promise>::try_from(value).map(|promise| promise.state()) {
        Err(_) => 0,
        Ok(v8::PromiseState::Pending) => 2,
        Ok(v8::PromiseState::Fulfilled) => 3,
        Ok(v8::PromiseState::Rejected) => 4,
    });
}

/// `settled(promise)`: what a promise that is not pending was settled with.
pub(crate) fn settled(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let promise = v8::Local::<v8::Promise>::try_from(arguments.get(0));
    if let Some(promise) = promise.ok().filter(|promise| promise.state() != v8::PromiseState::Pending) {
        result.set(promise.result(scope));
    }
}

/// `encoded(view)`: its bytes as base64. A text that a script puts together from small pieces takes many times its size.
pub(crate) fn encoded(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(arguments.get(0)) else { return };
    let mut bytes = vec![0; view.byte_length()];
    let copied = view.copy_contents(&mut bytes);
    match v8::String::new(scope, &STANDARD.encode(&bytes[..copied])) {
        Some(text) => result.set(text.into()),
        None => throw(scope, "the bytes are too many for a text"),
    }
}

/// `define(text)`: what is known of the function or the class with this text, see [`Definitions::find`].
pub(crate) fn define(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(natives) = natives(scope) else { return };
    let text = arguments.get(0).to_rust_string_lossy(scope);
    let answer = natives.definitions.borrow_mut().find(&text);
    if let Some(answer) = v8::String::new(scope, &answer) {
        result.set(answer.into());
    }
}

/// Dynamic `import()`: what a script imports is known before it runs.
pub(crate) fn refuse_import<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _: v8::Local<'s, v8::Data>,
    _: v8::Local<'s, v8::Value>,
    specifier: v8::Local<'s, v8::String>,
    _: v8::Local<'s, v8::FixedArray>,
) -> Option<v8::Local<'s, v8::Promise>> {
    let name = specifier.to_rust_string_lossy(scope);
    let message =
        format!("cannot import {name:?}: write `import … from` at the top of the script instead of `import()`");
    let message = v8::String::new(scope, &message)?;
    let error = v8::Exception::type_error(scope, message);
    let resolver = v8::PromiseResolver::new(scope)?;
    resolver.reject(scope, error)?;
    Some(resolver.get_promise(scope))
}
