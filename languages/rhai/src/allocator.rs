use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

/// The system's allocator, counting for each thread the bytes that it holds.
///
/// Rhai has no byte limit of its own: a program installs this as its `#[global_allocator]`, and the memory limit of
/// Rhai scripts is `enforced` instead of `best_effort`. It costs a few instructions for each allocation and never
/// allocates itself.
///
/// Memory is counted on the thread that asks for it and taken off on the thread that frees it, so a thread's count
/// may be negative; only differences on one thread mean something.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingAllocator;

impl CountingAllocator {
    /// Whether this allocator is the program's global one, found by allocating and looking at the count.
    pub fn installed() -> bool {
        let before = Reading::now().held;
        let probe = black_box(Box::new([0_u8; 64]));
        let after = Reading::now().held;
        drop(black_box(probe));
        after - before >= 64 && Reading::now().held == before
    }
}

/// What the current thread holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    /// All bytes.
    pub(crate) held: i64,
    /// The bytes of heap strings of scripts. Rhai shares a string instead of copying it, unlike anything else.
    pub(crate) text: i64,
    /// The largest such string that was allocated since [`Reading::restart`].
    pub(crate) largest_text: i64,
    /// The most bytes held since [`Reading::restart`].
    pub(crate) peak: i64,
}

struct Counters {
    held: Cell<i64>,
    text: Cell<i64>,
    largest_text: Cell<i64>,
    peak: Cell<i64>,
}

thread_local! {
    // Const and without a destructor: reading it neither allocates nor registers anything, also while a thread ends.
    static COUNTERS: Counters = const {
        Counters { held: Cell::new(0), text: Cell::new(0), largest_text: Cell::new(0), peak: Cell::new(0) }
    };
}

impl Reading {
    #[inline]
    pub(crate) fn now() -> Reading {
        COUNTERS.with(|c| Reading {
            held: c.held.get(),
            text: c.text.get(),
            largest_text: c.largest_text.get(),
            peak: c.peak.get(),
        })
    }

    /// Only the bytes held: for a hook that runs before every operation.
    #[inline]
    pub(crate) fn held() -> i64 {
        COUNTERS.with(|c| c.held.get())
    }

    /// Sets the peak and the largest string: what they were before a nested run, or `held` and 0 for a new one.
    pub(crate) fn restart(peak: i64, largest_text: i64) {
        COUNTERS.with(|c| {
            c.peak.set(peak.max(c.held.get()));
            c.largest_text.set(largest_text);
        });
    }
}

/// The alignment that Rhai's strings ask for and nothing else does: they keep a flag in a pointer's lowest bit.
const TEXT_ALIGN: usize = 2;

#[inline]
fn count(layout: Layout, change: i64, size: i64) {
    COUNTERS.with(|c| {
        let held = c.held.get() + change;
        c.held.set(held);
        if held > c.peak.get() {
            c.peak.set(held);
        }
        if layout.align() == TEXT_ALIGN {
            c.text.set(c.text.get() + change);
            if size > c.largest_text.get() {
                c.largest_text.set(size);
            }
        }
    });
}

// SAFETY: every call is handed to `System` unchanged, which upholds the contract; counting touches only this thread's
// plain cells and neither allocates, unwinds nor re-enters.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for CountingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's obligations are those of `System`.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            count(layout, layout.size() as i64, layout.size() as i64);
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's obligations are those of `System`.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            count(layout, layout.size() as i64, layout.size() as i64);
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's obligations are those of `System`.
        unsafe { System.dealloc(block, layout) };
        count(layout, -(layout.size() as i64), 0);
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligations are those of `System`.
        let moved = unsafe { System.realloc(block, layout, size) };
        if !moved.is_null() {
            count(layout, size as i64 - layout.size() as i64, size as i64);
        }
        moved
    }
}
