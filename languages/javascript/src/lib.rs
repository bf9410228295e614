//! JavaScript and TypeScript for the skills engine, through `deno_core`.
//!
//! `deno_core` brings the engine: QuickJS by default, V8 with the feature of that name. Of its layers only the `v8` API
//! is used, not `JsRuntime`: a `JsRuntime` evaluates some thousand lines of JavaScript that scripts would have to be kept
//! away from again (`Deno`, operations that panic the host), costs twice as much to make, and on QuickJS keeps a cache of
//! bytecode in the user's home folder, which it also trusts. An isolate with one context of our own has none of that:
//! what a script reaches is what `bridge/` gives it.
//!
//! - [`JavaScript`] is the [`Interpreter`]; a session is one isolate on the thread that opened it.
//! - `source` turns a script into the body of a function, without moving a line.
//! - `bridge/*.js` is the hardened half in JavaScript: values out and in, console, timers, the `skill` module, and what
//!   of the globals is left.
//! - `modules` has the host give the files of a skill that a script imports, each of which becomes a function as well, and
//!   `bridge/link.js` calls them.
//! - `live` and `bridge/live` are sessions whose names stay: cells, completion, snapshots.
//! - `heap` is what the two engines do differently: memory, stack and microtasks.

mod bridge;
mod caps;
mod convert;
mod engine;
mod error;
mod heap;
mod live;
mod modules;
mod natives;
mod session;
mod signature;
mod source;

#[cfg(test)]
mod tests;

use skills_core::{CapStatus, Completeness, Failure, Host, Interpreter, Language, Script, Session, Signature};
use std::sync::Arc;

/// JavaScript and TypeScript.
///
/// Making one starts nothing. What is particular to this language:
///
/// - **Values.** Numbers that are whole come out as integers (`2.0` is 2). A JSON integer beyond 2⁵³ comes in as a
///   BigInt; a BigInt goes out as an integer up to 2⁵³ and as a description beyond. A `Set` goes out as an array, a `Map`
///   with string keys as an object, typed arrays as arrays, and bytes (`Uint8Array`, `ArrayBuffer`, `DataView`), dates,
///   errors, functions and the like as descriptions. `undefined` is null, and left out of objects. `toJSON` is not called.
/// - **Globals.** ECMAScript without `WebAssembly`, `SharedArrayBuffer`, `Atomics`, `FinalizationRegistry`, `Intl` and
///   `Temporal`; with `console`, timers, `queueMicrotask`, `structuredClone`, `TextEncoder` and `TextDecoder`. Scripts run
///   in strict mode. Timers that are not awaited end with the run.
/// - **Nested calls** are counted where a limit is set. Otherwise the size of the stack bounds them, and the failure's
///   limit is how many calls of a small function that holds: larger functions fill it with fewer.
/// - **Sessions that live.** What a cell declares at its top level becomes a property of the global object, so `const` means
///   that it cannot be assigned until it is declared again; `using` and blocks are the cell's own. Functions that were made
///   while nothing was counted are not counted later, so limit operations and nested calls from the first cell or never.
///   A session that evaluates cells runs no scripts. A snapshot keeps functions and classes by their source: one that uses
///   variables of a function or block around it is lost, and so are private fields, promises, generators, proxies, weak
///   collections, timers, and what was made from a string.
/// - **Arrays** longer than 10 million elements can be made, but not worked on by built-in functions.
#[derive(Debug, Clone, Copy, Default)]
pub struct JavaScript {
    _private: (),
}

impl JavaScript {
    /// The interpreter.
    pub fn new() -> JavaScript {
        JavaScript::default()
    }
}

impl Interpreter for JavaScript {
    fn languages(&self) -> &[Language] {
        &[Language::JavaScript, Language::TypeScript]
    }

    fn open(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(session::JavaScriptSession::open(host)?))
    }

    fn signature(&self, script: &Script) -> Option<Signature> {
        signature::infer(script)
    }

    fn check(&self, script: &Script) -> Result<(), Failure> {
        source::with_program(script, |_| Ok(()))
    }

    fn completeness(&self, script: &Script) -> Completeness {
        source::completeness(script)
    }

    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        caps::self_test()
    }

    fn caps(&self) -> Vec<CapStatus> {
        caps::known()
    }

    /// Most of what opening a session takes is the engine's own library in JavaScript, so that is there when a process forks.
    /// V8 has threads, which no fork has.
    fn prepare_fork(&self) -> Result<(), Failure> {
        if cfg!(feature = "quickjs") {
            let mut engine = engine::Engine::start_for(None)?;
            caps::ensure_armed(&mut engine)?;
            engine.keep();
        }
        Ok(())
    }

    /// QuickJS holds nothing that another thread could have: a session is memory that the one thread of its process uses.
    fn forks_sessions(&self) -> bool {
        cfg!(feature = "quickjs")
    }
}
