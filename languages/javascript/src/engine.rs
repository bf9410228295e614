use crate::bridge::{
    Bridge, LIVE, LIVE_FUNCTIONS, LIVE_NAME, build, call, compile_function, describe, text, unavailable,
};
use crate::heap::{Heap, StopFlag};
use crate::natives::{self, Natives};
use crate::source::{Prepared, PreparedCell};
use deno_core::v8;
use skills_core::{Failure, Host, Interrupt};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// An argument of a function of the bridge.
#[derive(Clone, Copy)]
pub(crate) enum Argument<'a> {
    Text(&'a str),
    Number(f64),
    /// The function that a script was compiled to, or `undefined`.
    Main(Option<&'a Compiled>),
}

/// A compiled script: the function that the bridge calls for each run.
pub(crate) struct Compiled {
    main: v8::Global<v8::Function>,
    /// How the bridge is to call it: see `run` there.
    pub(crate) mode: i32,
    /// The name under which stack traces know it.
    pub(crate) resource: String,
}

impl Compiled {
    /// The same once more.
    pub(crate) fn copy(&self) -> Compiled {
        Compiled { main: self.main.clone(), mode: self.mode, resource: self.resource.clone() }
    }
}

/// How a script's compilation or run ended without an answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The engine was stopped, or ran out of memory or stack where that could not be caught: why, and the stack where
    /// that is known.
    Stopped(String, String),
    /// The engine refused the text: message and stack.
    Syntax(String, String),
}

impl Fault {
    pub(crate) fn stopped(why: impl Into<String>) -> Fault {
        Fault::Stopped(why.into(), String::new())
    }
}

/// One isolate with its context and the bridge in it. It stays on the thread that made it.
pub(crate) struct Engine {
    // Dropped in this order by hand: everything that points into the isolate before it.
    parts: Option<(Heap, Bridge, v8::Global<v8::Context>)>,
    isolate: Option<v8::OwnedIsolate>,
    handle: v8::IsolateHandle,
    stop: Arc<StopFlag>,
    interrupt: Arc<dyn Interrupt>,
    natives: Rc<Natives>,
    compiled: u64,
}

/// Ends execution from another thread.
struct Stopper {
    handle: v8::IsolateHandle,
    stop: Arc<StopFlag>,
}

impl Interrupt for Stopper {
    fn interrupt(&self) {
        self.stop.set();
        self.handle.terminate_execution();
    }
}

impl Engine {
    /// An isolate whose scripts see the host's functions: the one that is kept for that, else a new one.
    pub(crate) fn new(host: &Arc<dyn Host>) -> Result<Engine, Failure> {
        let mut engine = match KEPT.take() {
            Some(engine) => engine,
            None => Engine::start_for(host.budget().limits().memory)?,
        };
        let offered = engine.with(|scope, bridge, heap| {
            let functions = text(scope, &describe(host))?.into();
            call(scope, &bridge.offer, &[functions])?;
            heap.set_base(scope);
            Ok(())
        });
        offered.map_err(|fault| unavailable(format!("{fault:?}")))?;
        Ok(engine)
    }

    /// Starts an isolate for scripts that may hold that much memory, which sees no functions yet.
    pub(crate) fn start_for(memory: Option<u64>) -> Result<Engine, Failure> {
        deno_core::JsRuntime::init_platform(None);
        let mut isolate = v8::Isolate::new(Heap::parameters(memory));
        isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
        isolate.set_host_import_module_dynamically_callback(natives::refuse_import);
        let stop = Arc::new(StopFlag::default());
        let handle = isolate.thread_safe_handle();
        let natives = Rc::new(Natives::new(handle.clone(), Arc::clone(&stop)));
        isolate.set_slot(Rc::clone(&natives));
        let made = build(&mut isolate, &stop);
        // An isolate is entered when it is made; from here on it is entered for each use.
        // SAFETY: it is the one that the thread is in, because `build` left what it entered.
        unsafe { isolate.exit() };
        let interrupt = Arc::new(Stopper { handle: handle.clone(), stop: Arc::clone(&stop) });
        let mut engine = Engine { parts: None, isolate: Some(isolate), handle, stop, interrupt, natives, compiled: 0 };
        engine.parts = Some(made?);
        THREAD.with(|_| ());
        Ok(engine)
    }

    /// Keeps it for the first session that this thread opens.
    pub(crate) fn keep(self) {
        KEPT.set(Some(self));
    }

    pub(crate) fn natives(&self) -> &Rc<Natives> {
        &self.natives
    }

    pub(crate) fn interrupt(&self) -> Arc<dyn Interrupt> {
        Arc::clone(&self.interrupt)
    }

    pub(crate) fn stop(&self) -> &StopFlag {
        &self.stop
    }

    pub(crate) fn heap(&self) -> Option<&Heap> {
        self.parts.as_ref().map(|parts| &parts.0)
    }

    /// Makes ready for a run: nothing is to be stopped, and memory is bounded.
    pub(crate) fn start(&mut self, memory: Option<u64>) {
        self.stop.clear();
        self.handle.cancel_terminate_execution();
        if let Some(heap) = self.heap() {
            heap.start(memory);
        }
    }

    /// Whether an allocation beyond a limit is really refused and noticed. The limit must be one that a build, a
    /// feature or a version of the engine has not made a no-op; asking costs some microseconds.
    pub(crate) fn refuses_memory(&mut self) -> bool {
        self.start(Some(1 << 20));
        let refused = self.with(|scope, _, _| {
            let greedy = compile_function(scope, "skills:probe", "return new ArrayBuffer(1 << 26).byteLength", &[], 0)?;
            call(scope, &greedy, &[])?;
            Ok(())
        });
        let noticed = self.heap().is_some_and(Heap::breached);
        if let Some(heap) = self.heap() {
            heap.end();
        }
        self.start(None);
        refused.is_err() && noticed
    }

    /// Compiles a prepared script.
    pub(crate) fn compile(&mut self, prepared: &Prepared, refuses_code: bool) -> Result<Compiled, Fault> {
        self.compiled += 1;
        let resource = format!("skill:{}", self.compiled);
        let names = &prepared.names;
        let names = [&*names.skill, "params", &*names.tools, &*names.unit];
        let main = self.with(|scope, _, _| {
            // The body's first line is ours, so that its second is line 1 of the script.
            compile_function(scope, &resource, &prepared.body, &names, -1)
        })?;
        let mode = i32::from(prepared.asynchronous) | i32::from(prepared.calls) << 1 | i32::from(refuses_code) << 2;
        Ok(Compiled { main, mode, resource })
    }

    /// Puts a script together with the files that it imports, into one that is run as if it were alone. `text` says what each
    /// of them has of the others, see `bridge/link.js`.
    pub(crate) fn link<'a>(
        &mut self,
        main: &'a Compiled,
        files: impl Iterator<Item = &'a Compiled>,
        (text, asynchronous): (&str, bool),
    ) -> Result<Compiled, Fault> {
        let linked = self.with(|scope, bridge, _| {
            let mut arguments: Vec<v8::Local<'_, v8::Value>> = vec![crate::bridge::text(scope, text)?.into()];
            for compiled in std::iter::once(main).chain(files) {
                arguments.push(v8::Local::new(scope, &compiled.main).into());
            }
            let linked = call(scope, &bridge.linked, &arguments)?;
            let missing = |_| Fault::stopped("the bridge has linked nothing");
            Ok(v8::Global::new(scope, v8::Local::<v8::Function>::try_from(linked).map_err(missing)?))
        })?;
        let mode = main.mode | i32::from(asynchronous);
        Ok(Compiled { main: linked, mode, resource: main.resource.clone() })
    }

    /// Compiles a prepared cell.
    pub(crate) fn compile_cell(&mut self, prepared: &PreparedCell, refuses_code: bool) -> Result<Compiled, Fault> {
        self.compiled += 1;
        let resource = format!("skill:{}", self.compiled);
        // What a script has as its parameters is a variable of the session here, if anything.
        let names = &prepared.names;
        let names = [&names.skill, &names.depth, &names.tools, &names.unit].map(String::as_str);
        let main = self.with(|scope, _, _| compile_function(scope, &resource, &prepared.body, &names, -1))?;
        let mode = i32::from(prepared.asynchronous) | i32::from(prepared.calls) << 1 | i32::from(refuses_code) << 2;
        Ok(Compiled { main, mode, resource })
    }

    /// Begins to live: makes what only living sessions need. Gives the names that cells cannot declare as they are.
    pub(crate) fn live(&mut self) -> Result<Vec<String>, Fault> {
        self.with(|scope, bridge, _| {
            let parameters = ["core", "nature", "settled", "define", "encoded"];
            let setup = compile_function(scope, LIVE_NAME, LIVE, &parameters, 0)?;
            let missing = || Fault::stopped("a function of the bridge cannot be made");
            let core = call(scope, &bridge.core, &[])?;
            let arguments = [
                core,
                v8::Function::new(scope, natives::nature).ok_or_else(missing)?.into(),
                v8::Function::new(scope, natives::settled).ok_or_else(missing)?.into(),
                v8::Function::new(scope, natives::define).ok_or_else(missing)?.into(),
                v8::Function::new(scope, natives::encoded).ok_or_else(missing)?.into(),
            ];
            let made = call(scope, &setup, &arguments)?;
            let made = v8::Local::<v8::Object>::try_from(made).map_err(|_| missing())?;
            for name in LIVE_FUNCTIONS {
                let key = text(scope, name)?;
                let found = made.get(scope, key.into()).ok_or_else(missing)?;
                let function = v8::Local::<v8::Function>::try_from(found).map_err(|_| missing())?;
                bridge.live.borrow_mut().insert((*name).to_owned(), v8::Global::new(scope, function));
            }
            let fixed = call(scope, &bridge.fixed, &[])?.to_rust_string_lossy(scope);
            serde_json::from_str(&fixed).map_err(|error| Fault::stopped(error.to_string()))
        })
    }

    /// Calls a function of a living session, see `bridge/live`, which gives a text.
    pub(crate) fn ask(&mut self, name: &str, arguments: &[Argument<'_>]) -> Result<String, Fault> {
        self.with(|scope, bridge, _| {
            let function = bridge.live.borrow().get(name).cloned();
            let function = function.ok_or_else(|| Fault::stopped(format!("the bridge has no `{name}`")))?;
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(match argument {
                    Argument::Text(given) => text(scope, given)?.into(),
                    Argument::Number(number) => v8::Number::new(scope, *number).into(),
                    Argument::Main(Some(compiled)) => v8::Local::new(scope, &compiled.main).into(),
                    Argument::Main(None) => v8::undefined(scope).into(),
                });
            }
            Ok(call(scope, &function, &values)?.to_rust_string_lossy(scope))
        })
    }

    /// Makes ready for a cell: as [`Engine::start`], with some room for a cell that gives memory back.
    pub(crate) fn start_cell(&mut self, memory: Option<u64>) {
        self.stop.clear();
        self.handle.cancel_terminate_execution();
        if let Some(heap) = self.heap() {
            heap.start_cell(memory);
        }
    }

    /// Leaves a cell: its names and its timers stay. What was to go on at once after a cell that had to be stopped does
    /// not, because that may be what did not end.
    pub(crate) fn rest(&mut self) {
        self.natives.forget();
        let stopped = self.stop.is_set();
        if let Some(heap) = self.heap() {
            heap.end();
        }
        // Nobody stops this: what could is gone with the evaluation.
        self.stop.clear();
        self.handle.cancel_terminate_execution();
        let _ = self.with(|scope, bridge, heap| {
            if stopped {
                heap.drop_microtasks(scope);
            }
            Ok(call(scope, &bridge.rested, &[]).map(|_| ()))
        });
    }

    /// Runs a compiled script up to its first answer: see `run` in `bridge/run.js`.
    pub(crate) fn run(
        &mut self,
        compiled: &Compiled,
        params: &str,
        wide: &str,
        most: Option<u64>,
    ) -> Result<String, Fault> {
        self.with(|scope, bridge, _| {
            let main: v8::Local<'_, v8::Value> = v8::Local::new(scope, &compiled.main).into();
            let arguments = [
                main,
                v8::Integer::new(scope, compiled.mode).into(),
                text(scope, params)?.into(),
                text(scope, wide)?.into(),
                v8::Number::new(scope, most.map_or(-1.0, |most| most as f64)).into(),
            ];
            let answer = call(scope, &bridge.run, &arguments)?;
            Ok(answer.to_rust_string_lossy(scope))
        })
    }

    /// Runs the microtasks that are waiting.
    pub(crate) fn run_microtasks(&mut self) {
        let _ = self.with(|scope, _, heap| {
            heap.run_microtasks(scope);
            Ok(())
        });
    }

    /// The answer, or `?` where it is still to come.
    pub(crate) fn poll(&mut self) -> Result<String, Fault> {
        self.with(|scope, bridge, _| Ok(call(scope, &bridge.poll, &[])?.to_rust_string_lossy(scope)))
    }

    /// Runs a timer that is due. The milliseconds until the next one, or a negative number where there is none.
    pub(crate) fn tick(&mut self) -> Result<f64, Fault> {
        self.with(|scope, bridge, _| Ok(call(scope, &bridge.tick, &[])?.number_value(scope).unwrap_or(-1.0)))
    }

    /// The operations that an instrumented script counted.
    pub(crate) fn count(&mut self) -> Option<u64> {
        let count = self.with(|scope, bridge, _| Ok(call(scope, &bridge.count, &[])?.number_value(scope)));
        count.ok().flatten().filter(|count| *count >= 0.0).map(|count| count as u64)
    }

    /// How many calls of a small function the stack holds, found out by making them. `None` where execution is ended.
    pub(crate) fn depth(&mut self) -> Option<u64> {
        let depth = self.with(|scope, bridge, _| Ok(call(scope, &bridge.depth, &[])?.number_value(scope)));
        depth.ok().flatten().filter(|depth| *depth > 0.0).map(|depth| depth as u64)
    }

    /// Forgets a run, and says whether the next one finds the world as this one did. Only where `compare` is anything
    /// compared; it is for scripts that may have changed something.
    pub(crate) fn finish(&mut self, compare: bool) -> bool {
        self.natives.forget();
        if let Some(heap) = self.heap() {
            heap.end();
        }
        if self.stop.is_set() {
            return false;
        }
        let finished = self.with(|scope, bridge, _| {
            call(scope, &bridge.finished, &[])?;
            Ok(!compare || call(scope, &bridge.unharmed, &[])?.is_true())
        });
        finished.unwrap_or(false)
    }

    fn with<R>(
        &mut self,
        work: impl FnOnce(&mut v8::PinScope<'_, '_>, &Bridge, &Heap) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let (Some(isolate), Some((heap, bridge, context))) = (self.isolate.as_mut(), self.parts.as_ref()) else {
            return Err(Fault::stopped("the engine did not start"));
        };
        // Isolates nest: a host function may run another script in another isolate of the same thread.
        // SAFETY: the isolate belongs to this thread, and is exited below.
        unsafe { isolate.enter() };
        let result = {
            v8::scope!(let scope, &mut *isolate);
            let context = v8::Local::new(scope, context);
            let scope = &mut v8::ContextScope::new(scope, context);
            work(scope, bridge, heap)
        };
        // SAFETY: entered above, and whatever was entered in between has been left.
        unsafe { isolate.exit() };
        result
    }
}

thread_local! {
    /// Alive as long as the engine's own thread-local state is: it is made after it, and destroyed before it.
    static THREAD: Alive = const { Alive };

    /// An isolate that was started before anybody asked for one.
    static KEPT: Cell<Option<Engine>> = const { Cell::new(None) };
}

struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {}
}

/// Whether what belongs to an isolate of this thread can no longer be touched, not even to be dropped.
pub(crate) fn thread_is_ending() -> bool {
    THREAD.try_with(|_| ()).is_err()
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(isolate) = self.isolate.take() {
            // A session that is kept in a thread-local may be dropped when the thread ends, after the engine's own state
            // has gone: to touch the isolate would abort the process. It is left to the operating system.
            if thread_is_ending() {
                std::mem::forget((self.parts.take(), isolate));
                return;
            }
            // SAFETY: the isolate belongs to this thread. Dropping it exits it, and insists on being inside.
            unsafe { isolate.enter() };
            self.parts.take();
            drop(isolate);
        }
    }
}
