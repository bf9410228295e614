//! What the two engines do differently: bounding memory and stack, running microtasks, and being interrupted.

#[cfg(feature = "quickjs")]
mod quickjs;
#[cfg(feature = "quickjs")]
pub(crate) use quickjs::Heap;

// Compiled in tests with QuickJS as well: the emulation has the same API, so what does not fit it is noticed.
#[cfg(any(not(feature = "quickjs"), test))]
#[cfg_attr(feature = "quickjs", allow(dead_code))]
mod v8_heap;
#[cfg(not(feature = "quickjs"))]
pub(crate) use v8_heap::Heap;

#[cfg(all(feature = "quickjs", feature = "v8"))]
compile_error!("choose one JavaScript engine: feature `quickjs` or feature `v8`, not both");

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether execution has to end. Set from any thread, read by the engine at loops and calls.
#[derive(Debug, Default)]
pub(crate) struct StopFlag(AtomicBool);

impl StopFlag {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::Release);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What the engine's own native code, a host function and the unwinding may take below the limit for scripts.
#[cfg(feature = "quickjs")]
const STACK_RESERVE: usize = 256 << 10;

/// The stack that scripts may use on this thread, in bytes from where it stands now.
///
/// Recursion is bounded by it where no limit of nested calls is set, so it does not grow with a larger thread.
#[cfg(feature = "quickjs")]
fn stack_for_scripts() -> usize {
    const MOST: usize = 1 << 20;
    const LEAST: usize = 64 << 10;
    // Where the platform does not tell, half of the smallest usual thread's stack.
    let left = stacker::remaining_stack().unwrap_or(MOST);
    left.saturating_sub(STACK_RESERVE).clamp(LEAST.min(left / 2), MOST)
}
