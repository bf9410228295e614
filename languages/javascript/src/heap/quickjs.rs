//! QuickJS below the `v8` API.
//!
//! That API is emulated, and three things are missing or unusable in the emulation: a memory limit that can be set anew
//! for each run (`CreateParams` sets one for good, and what it does on a breach is to raise it by 16 MiB and stop), a stack
//! limit for the thread at hand (one process-wide flag), and a microtask checkpoint that ends (it drains the queue for as
//! long as it fills). QuickJS itself has all three, and its functions are linked in. This file is all that calls them.

use super::{StopFlag, stack_for_scripts};
use crate::session::cpu_time;
use deno_core::v8;
use skills_core::{Budget, Pace};
use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

/// QuickJS's `JSValue` on 64-bit machines.
#[repr(C)]
#[derive(Clone, Copy)]
struct JsValue {
    payload: u64,
    tag: i64,
}

type InterruptHandler = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type MemoryHandler = unsafe extern "C" fn(*mut c_void, *mut c_void);

unsafe extern "C" {
    fn JS_GetRuntime(context: *mut c_void) -> *mut c_void;
    fn JS_SetMemoryLimit(runtime: *mut c_void, bytes: usize);
    fn JS_SetMemoryLimitHandler(runtime: *mut c_void, handler: Option<MemoryHandler>, opaque: *mut c_void);
    fn JS_SetInterruptHandler(runtime: *mut c_void, handler: Option<InterruptHandler>, opaque: *mut c_void);
    fn JS_UpdateStackTop(runtime: *mut c_void);
    fn JS_SetMaxStackSize(runtime: *mut c_void, bytes: usize);
    fn JS_RunGC(runtime: *mut c_void);
    fn JS_SetGCThreshold(runtime: *mut c_void, bytes: usize);
    fn JS_ExecutePendingJob(runtime: *mut c_void, context: *mut *mut c_void) -> c_int;
    fn JS_GetException(context: *mut c_void) -> JsValue;
    fn JS_FreeValue(context: *mut c_void, value: JsValue);
    fn JS_GetPropertyStr(context: *mut c_void, object: JsValue, name: *const c_char) -> JsValue;
    fn JS_ToCStringLen2(context: *mut c_void, length: *mut usize, value: JsValue, cesu8: bool) -> *const c_char;
    fn JS_FreeCString(context: *mut c_void, text: *const c_char);
    fn v82jsc_malloc_size(runtime: *mut c_void) -> usize;
}

/// The tag under which the emulation keeps a context in a handle.
const CONTEXT_TAG: i64 = 0x7632;

/// What is allowed beyond the limit once it is reached, so that the engine can unwind.
const HEADROOM: usize = 4 << 20;

/// The memory, stack and microtasks of one isolate. It must be dropped before its isolate.
pub(crate) struct Heap {
    state: Box<State>,
}

struct State {
    runtime: *mut c_void,
    stop: Arc<StopFlag>,
    /// What the engine itself takes, before any script.
    base: Cell<usize>,
    /// What was in use when garbage was last collected between runs.
    settled: Cell<usize>,
    /// The limit for engine and script together; 0 where there is none.
    limit: Cell<usize>,
    breached: Cell<bool>,
    peak: Cell<usize>,
    pace: RefCell<Option<(Pace, Arc<Budget>)>>,
    /// The stack of the microtask that had to stop.
    stopped_at: RefCell<Option<String>>,
}

impl State {
    fn used(&self) -> usize {
        // SAFETY: the runtime lives as long as the isolate, which outlives this state; the function reads one number.
        unsafe { v82jsc_malloc_size(self.runtime) }
    }

    fn sample(&self) {
        self.peak.set(self.peak.get().max(self.used()));
    }

    /// Rests, where the script is ahead of its share of the processor.
    fn keep_pace(&self) {
        if let Some((pace, budget)) = self.pace.borrow_mut().as_mut()
            && let Some(cpu) = cpu_time()
        {
            let rest = pace.rest(cpu, budget.wall());
            budget.rest(rest);
        }
    }
}

/// Called by the engine when an allocation would pass the limit, before it fails.
unsafe extern "C" fn memory_exceeded(runtime: *mut c_void, opaque: *mut c_void) {
    // SAFETY: `opaque` is the state that `attach` registered, boxed and alive until `drop` unregisters it.
    let state = unsafe { &*opaque.cast::<State>() };
    state.sample();
    if state.breached.replace(true) {
        return;
    }
    state.stop.set();
    // SAFETY: a live runtime, and its documented setter, which only stores the number.
    unsafe { JS_SetMemoryLimit(runtime, state.limit.get().saturating_add(HEADROOM)) };
}

/// Called by the engine at every ten thousandth loop or call, and inside regular expressions.
unsafe extern "C" fn interrupted(_runtime: *mut c_void, opaque: *mut c_void) -> c_int {
    // SAFETY: as above.
    let state = unsafe { &*opaque.cast::<State>() };
    state.sample();
    state.keep_pace();
    c_int::from(state.stop.is_set())
}

impl Heap {
    /// What an isolate is made with: limits are set for each run instead.
    pub(crate) fn parameters(_limit: Option<u64>) -> v8::CreateParams {
        v8::CreateParams::default()
    }

    /// Takes over the limits of a context's runtime. `None` where the context is not what it is known to be, in which
    /// case nothing can be bounded.
    pub(crate) fn attach(
        _scope: &mut v8::PinScope<'_, '_>,
        context: v8::Local<'_, v8::Context>,
        stop: Arc<StopFlag>,
    ) -> Option<Heap> {
        let slot: *const v8::Context = &*context;
        // SAFETY: a handle of the emulation points to a `JSValue`; for contexts, with this tag and the engine's pointer.
        let value = unsafe { slot.cast::<JsValue>().read() };
        if value.tag != CONTEXT_TAG || value.payload == 0 {
            return None;
        }
        // SAFETY: the tag says that the payload is a live `JSContext`.
        let runtime = unsafe { JS_GetRuntime(value.payload as *mut c_void) };
        if runtime.is_null() {
            return None;
        }
        let state = Box::new(State {
            runtime,
            stop,
            base: Cell::new(0),
            settled: Cell::new(0),
            limit: Cell::new(0),
            breached: Cell::new(false),
            peak: Cell::new(0),
            pace: RefCell::new(None),
            stopped_at: RefCell::new(None),
        });
        let opaque = std::ptr::from_ref::<State>(&state).cast_mut().cast::<c_void>();
        // SAFETY: a live runtime; the state is boxed, so it stays where it is, and `drop` takes the handlers out again.
        unsafe {
            JS_SetMemoryLimitHandler(runtime, Some(memory_exceeded), opaque);
            JS_SetInterruptHandler(runtime, Some(interrupted), opaque);
        }
        Some(Heap { state })
    }

    /// Remembers what is used now as the engine's own.
    pub(crate) fn set_base(&self, _scope: &mut v8::PinScope<'_, '_>) {
        self.collect();
        self.state.base.set(self.state.used());
    }

    /// Bounds the memory of a run, and its stack to what this thread has.
    pub(crate) fn start(&self, limit: Option<u64>) {
        let state = &self.state;
        let limit = limit
            .map_or(0, |limit| state.base.get().saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)).max(1));
        // How much a run may allocate before garbage is looked for. Left alone, the engine begins with 256 KiB in use, most of
        // which is its own, and looks at everything there is again and again while a script builds something up.
        const UNSEEN: usize = 8 << 20;
        // What earlier runs left in cycles is theirs, not this run's.
        const TOLERATED: usize = 1 << 20;
        let room = if limit == 0 { usize::MAX } else { limit.saturating_sub(state.base.get()) };
        if state.used().saturating_sub(state.settled.get()) > TOLERATED.min(room / 4) {
            self.collect();
        }
        state.limit.set(limit);
        state.breached.set(false);
        *state.stopped_at.borrow_mut() = None;
        state.peak.set(state.used());
        let collect_at = state.used().saturating_add(UNSEEN.min(room / 4));
        // SAFETY: a live runtime, used on its own thread; these only store numbers.
        unsafe {
            JS_SetMemoryLimit(state.runtime, limit);
            JS_SetGCThreshold(state.runtime, collect_at);
            JS_UpdateStackTop(state.runtime);
            JS_SetMaxStackSize(state.runtime, stack_for_scripts());
        }
    }

    /// Bounds the memory of a cell and of all that its session holds. A session that is at its limit gets some more, always
    /// below the same bound: without any memory, not even what gives memory back could be evaluated.
    pub(crate) fn start_cell(&self, limit: Option<u64>) {
        const ROOM: usize = 256 << 10;
        self.start(limit);
        let state = &self.state;
        let full = state.limit.get();
        if full == 0 || state.used().saturating_add(ROOM) <= full {
            return;
        }
        self.collect();
        let enough = state.used().saturating_add(ROOM).clamp(full, full.saturating_add(HEADROOM));
        // SAFETY: as in `start`.
        unsafe { JS_SetMemoryLimit(state.runtime, enough) };
    }

    /// Takes the waiting microtasks away. Each is run where there is no stack for any function, so that none of them does
    /// anything or adds another.
    pub(crate) fn drop_microtasks(&self, _scope: &mut v8::PinScope<'_, '_>) {
        // SAFETY: a live runtime on its own thread; these only store numbers.
        unsafe {
            JS_UpdateStackTop(self.state.runtime);
            JS_SetMaxStackSize(self.state.runtime, 1);
        }
        loop {
            let mut context = std::ptr::null_mut();
            // SAFETY: as in `run_microtasks`.
            let done = unsafe { JS_ExecutePendingJob(self.state.runtime, &mut context) };
            if done == 0 {
                break;
            }
            if done < 0 && !context.is_null() {
                // SAFETY: as in `run_microtasks`.
                unsafe { JS_FreeValue(context, JS_GetException(context)) };
            }
        }
        // SAFETY: as above.
        unsafe { JS_SetMaxStackSize(self.state.runtime, stack_for_scripts()) };
    }

    /// Holds the run that begins to its share of the processor, where it has one.
    pub(crate) fn pace(&self, budget: &Arc<Budget>) {
        let pace = budget.limits().cpu_percent.and_then(|percent| Pace::new(percent, cpu_time()?, budget.wall()));
        *self.state.pace.borrow_mut() = pace.map(|pace| (pace, Arc::clone(budget)));
    }

    /// Takes the memory limit off again, for the engine's own work between runs.
    pub(crate) fn end(&self) {
        self.state.sample();
        *self.state.pace.borrow_mut() = None;
        // SAFETY: as in `start`.
        unsafe { JS_SetMemoryLimit(self.state.runtime, 0) };
    }

    /// Whether the run reached its memory limit.
    pub(crate) fn breached(&self) -> bool {
        self.state.breached.get()
    }

    /// The most that was seen in use by the script, in bytes. Looked at when the engine can be interrupted, at the end,
    /// and when the limit is met; what lived for shorter is missed.
    pub(crate) fn peak(&self) -> u64 {
        (self.state.peak.get().saturating_sub(self.state.base.get())) as u64
    }

    /// What scripts have left, in bytes.
    pub(crate) fn held(&self) -> u64 {
        self.state.used().saturating_sub(self.state.base.get()) as u64
    }

    fn collect(&self) {
        // SAFETY: a live runtime on its own thread, while no script runs.
        unsafe { JS_RunGC(self.state.runtime) };
        self.state.settled.set(self.state.used());
    }

    /// Runs microtasks until there are none, or execution has to end.
    pub(crate) fn run_microtasks(&self, _scope: &mut v8::PinScope<'_, '_>) {
        while !self.state.stop.is_set() {
            let mut context = std::ptr::null_mut();
            // SAFETY: a live runtime on its own thread, inside its entered isolate; `context` is an out parameter.
            let done = unsafe { JS_ExecutePendingJob(self.state.runtime, &mut context) };
            if done == 0 {
                return;
            }
            if done < 0 && !context.is_null() {
                // SAFETY: the engine gave the context, and the exception that it hands over is ours to free.
                unsafe {
                    let error = JS_GetException(context);
                    if self.state.stop.is_set() {
                        *self.state.stopped_at.borrow_mut() = stack(context, error);
                    }
                    JS_FreeValue(context, error);
                }
            }
        }
    }

    /// Where a microtask was when it had to stop.
    pub(crate) fn stopped_at(&self) -> Option<String> {
        self.state.stopped_at.borrow_mut().take()
    }
}

/// The stack of an error, read once execution has to end: a getter that a script has put there ends soon, too.
///
/// # Safety
/// A live context on its own thread, and a value of it.
unsafe fn stack(context: *mut c_void, error: JsValue) -> Option<String> {
    let mut length = 0;
    // SAFETY: as above; the name is a C string, and what the engine hands over is freed once.
    unsafe {
        let stack = JS_GetPropertyStr(context, error, c"stack".as_ptr());
        let bytes = JS_ToCStringLen2(context, &mut length, stack, false).cast::<u8>();
        JS_FreeValue(context, stack);
        if bytes.is_null() {
            JS_FreeValue(context, JS_GetException(context));
            return None;
        }
        let text = String::from_utf8_lossy(std::slice::from_raw_parts(bytes, length)).into_owned();
        JS_FreeCString(context, bytes.cast());
        Some(text)
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: the isolate is dropped after this, so the runtime is alive; afterwards nothing points to the state.
        unsafe {
            JS_SetMemoryLimit(self.state.runtime, 0);
            JS_SetMemoryLimitHandler(self.state.runtime, None, std::ptr::null_mut());
            JS_SetInterruptHandler(self.state.runtime, None, std::ptr::null_mut());
        }
    }
}
