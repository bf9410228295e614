//! Memory, stack and microtasks with V8, whose own API has what is needed.
//!
//! V8 aborts the process when its heap limit is passed, unless the callback near the limit raises it. So the callback
//! stops the script and gives room to unwind. A limit per run, below the isolate's, is checked whenever V8 has collected
//! garbage. What ArrayBuffers take is outside of the heap; V8 reports it as external memory, which is counted in.

use super::StopFlag;
use deno_core::v8;
use skills_core::Budget;
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;

/// What is allowed beyond the limit once it is reached, so that the engine can unwind.
const HEADROOM: usize = 64 << 20;

/// The memory and microtasks of one isolate. It must be dropped before its isolate.
pub(crate) struct Heap {
    state: Box<State>,
}

struct State {
    handle: v8::IsolateHandle,
    stop: Arc<StopFlag>,
    base: Cell<usize>,
    limit: Cell<usize>,
    breached: Cell<bool>,
    peak: Cell<usize>,
}

impl State {
    fn breach(&self) {
        self.breached.set(true);
        self.stop.set();
        self.handle.terminate_execution();
    }

    fn measure(&self, isolate: &mut v8::Isolate) {
        let statistics = isolate.get_heap_statistics();
        let used = statistics.used_heap_size() + statistics.external_memory();
        self.peak.set(self.peak.get().max(used));
        if self.limit.get() != 0 && used > self.limit.get() {
            self.breach();
        }
    }
}

/// Called by V8 when the isolate's own limit is near.
unsafe extern "C" fn near_limit(data: *mut c_void, current: usize, _initial: usize) -> usize {
    // SAFETY: `data` is the boxed state that `attach` registered, alive as long as the callback can be called.
    let state = unsafe { &*data.cast::<State>() };
    state.breach();
    current.saturating_add(HEADROOM)
}

/// Called by V8 after it has collected garbage.
unsafe extern "C" fn collected(
    isolate: v8::UnsafeRawIsolatePtr,
    _kind: v8::GCType,
    _flags: v8::GCCallbackFlags,
    data: *mut c_void,
) {
    // SAFETY: V8 calls this on the isolate's thread with the isolate that is collecting, and `data` as above.
    let (mut isolate, state) = unsafe { (v8::Isolate::from_raw_isolate_ptr(isolate), &*data.cast::<State>()) };
    state.measure(&mut isolate);
}

impl Heap {
    /// What an isolate is made with.
    pub(crate) fn parameters(limit: Option<u64>) -> v8::CreateParams {
        let limit = limit.map_or(0, |limit| usize::try_from(limit).unwrap_or(0));
        if limit == 0 {
            v8::CreateParams::default()
        } else {
            v8::CreateParams::default().heap_limits(0, limit + HEADROOM)
        }
    }

    /// Takes over the limits of an isolate.
    pub(crate) fn attach(
        scope: &mut v8::PinScope<'_, '_>,
        _context: v8::Local<'_, v8::Context>,
        stop: Arc<StopFlag>,
    ) -> Option<Heap> {
        let state = Box::new(State {
            handle: scope.thread_safe_handle(),
            stop,
            base: Cell::new(0),
            limit: Cell::new(0),
            breached: Cell::new(false),
            peak: Cell::new(0),
        });
        let data = std::ptr::from_ref::<State>(&state).cast_mut().cast::<c_void>();
        scope.add_near_heap_limit_callback(near_limit, data);
        scope.add_gc_epilogue_callback(collected, data, v8::GCType::kGCTypeAll);
        Some(Heap { state })
    }

    /// Remembers what is used now as the engine's own.
    pub(crate) fn set_base(&self, scope: &mut v8::PinScope<'_, '_>) {
        scope.low_memory_notification();
        self.state.base.set(scope.get_heap_statistics().used_heap_size());
    }

    /// Bounds the memory of a run.
    pub(crate) fn start(&self, limit: Option<u64>) {
        let limit = limit.map_or(0, |limit| self.state.base.get() + usize::try_from(limit).unwrap_or(usize::MAX / 2));
        self.state.limit.set(limit);
        self.state.breached.set(false);
        self.state.peak.set(self.state.base.get());
    }

    /// Bounds the memory of a cell and of all that its session holds.
    pub(crate) fn start_cell(&self, limit: Option<u64>) {
        self.start(limit);
    }

    /// Takes the waiting microtasks away: this engine has no way to, and goes on with them.
    pub(crate) fn drop_microtasks(&self, _scope: &mut v8::PinScope<'_, '_>) {}

    /// Holds the run to its share of the processor: not with this engine, whose `caps` say so.
    pub(crate) fn pace(&self, _budget: &Arc<Budget>) {}

    /// Takes the limit of the run off again.
    pub(crate) fn end(&self) {
        self.state.limit.set(0);
    }

    /// Whether the run reached its memory limit.
    pub(crate) fn breached(&self) -> bool {
        self.state.breached.get()
    }

    /// The most that was seen in use by the script, in bytes, where garbage was collected.
    pub(crate) fn peak(&self) -> u64 {
        self.state.peak.get().saturating_sub(self.state.base.get()) as u64
    }

    /// What scripts have left, in bytes, where garbage was last collected.
    pub(crate) fn held(&self) -> u64 {
        self.peak()
    }

    /// Where a microtask was when it had to stop: not known with this engine.
    pub(crate) fn stopped_at(&self) -> Option<String> {
        None
    }

    /// Runs microtasks until there are none, or execution has to end.
    pub(crate) fn run_microtasks(&self, scope: &mut v8::PinScope<'_, '_>) {
        scope.perform_microtask_checkpoint();
    }
}
