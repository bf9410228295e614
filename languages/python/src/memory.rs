//! The memory cap: hooks below CPython's allocators that count what each run holds and refuse what would pass its limit.
//!
//! CPython serves objects up to 512 bytes from arenas (1 MiB each in 3.11, from `mmap`), and everything larger, and what
//! its own C code asks for, from the *raw* domain (`malloc`). Hooking just these two sources covers all of Python's
//! memory without a hook on the hot path of small objects, so an armed cap costs next to nothing: raw blocks are counted
//! by their usable size, arenas by theirs.
//!
//! The price is precision. An arena belongs to the run whose allocation made it, wholly; small objects that fit into
//! arenas left over by an earlier run are not counted. A block that a run frees is taken off that run's count whoever
//! allocated it, never below zero. When a whole arena would pass the limit it is refused without a breach, and CPython
//! then asks the raw domain for each small object, so small limits are exact. Memory that a C extension takes from
//! `malloc` or `mmap` behind CPython's back is not seen.
//!
//! The hooks run with or without the GIL, in the middle of anything: they take no lock and allocate nothing. A refusal is
//! noted in the run's own meter, and becomes the budget's breach later.

use crate::stopper;
use pyo3::ffi;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What one run holds, or a session with its namespace, in bytes.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    limit: AtomicU64,
    used: AtomicU64,
    peak: AtomicU64,
    refused: AtomicU64,
}

impl MemoryMeter {
    pub(crate) fn new(limit: Option<u64>) -> MemoryMeter {
        MemoryMeter {
            limit: AtomicU64::new(limit.unwrap_or(u64::MAX)),
            used: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Begins an evaluation of a session: what is held stays counted, the peak and the refusal are those of the one before.
    pub(crate) fn begin(&self, limit: Option<u64>) {
        self.limit.store(limit.unwrap_or(u64::MAX), Relaxed);
        self.refused.store(0, Relaxed);
        self.peak.store(self.used(), Relaxed);
    }

    /// The most that may be held.
    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    /// What is held now.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// The most that was held at once.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Relaxed)
    }

    /// What would have been held had the first refused request been granted; `None` where none was refused.
    pub(crate) fn refused(&self) -> Option<u64> {
        Some(self.refused.load(Relaxed)).filter(|reading| *reading > 0)
    }

    fn fits(&self, more: u64) -> bool {
        self.used().saturating_add(more) <= self.limit.load(Relaxed)
    }

    fn note_refusal(&self, more: u64) {
        let reading = self.used().saturating_add(more);
        if self.refused.compare_exchange(0, reading.max(1), Relaxed, Relaxed).is_ok() {
            stopper::wake();
        }
    }

    fn add(&self, bytes: u64) {
        let used = self.used.fetch_add(bytes, Relaxed) + bytes;
        if used > self.peak.load(Relaxed) {
            self.peak.fetch_max(used, Relaxed);
        }
    }

    fn remove(&self, bytes: u64) {
        let _ = self.used.fetch_update(Relaxed, Relaxed, |used| Some(used.saturating_sub(bytes)));
    }
}

thread_local! {
    static METER: Cell<*const MemoryMeter> = const { Cell::new(ptr::null()) };
    static LENIENT: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread's Python memory is charged to a meter.
pub(crate) struct Metered {
    previous: *const MemoryMeter,
}

/// Charges this thread's Python memory to `meter`.
///
/// # Safety
/// The meter must outlive the guard, and the guard must be dropped on this thread.
pub(crate) unsafe fn meter(meter: *const MemoryMeter) -> Metered {
    Metered { previous: METER.replace(meter) }
}

impl Drop for Metered {
    fn drop(&mut self) {
        METER.set(self.previous);
    }
}

/// While it lives, this thread's memory is counted and a breach is noted, but nothing is refused: for the engine's own
/// work on a script's behalf, where a refusal would be a panic instead of a `MemoryError`.
pub(crate) struct Lenient {
    previous: bool,
}

pub(crate) fn lenient(on: bool) -> Lenient {
    Lenient { previous: LENIENT.replace(on) }
}

impl Drop for Lenient {
    fn drop(&mut self) {
        LENIENT.set(self.previous);
    }
}

fn current<'a>() -> Option<&'a MemoryMeter> {
    // SAFETY: `meter` promises that a meter which is set is alive.
    unsafe { METER.get().as_ref() }
}

/// Whether this much more is within the limit of whatever this thread is charged to, and nothing was refused yet; notes the
/// breach where not. For the engine's own work, which ends there instead of being refused.
pub(crate) fn has_room(more: usize) -> bool {
    let Some(meter) = current() else { return true };
    let fits = meter.fits(more as u64);
    if !fits {
        meter.note_refusal(more as u64);
    }
    fits && meter.refused().is_none()
}

/// Whether a request may go on; notes the breach where not.
fn admit(meter: &MemoryMeter, more: usize) -> bool {
    if meter.fits(more as u64) {
        return true;
    }
    meter.note_refusal(more as u64);
    LENIENT.get()
}

struct Below {
    raw: ffi::PyMemAllocatorEx,
    arena: ffi::PyObjectArenaAllocator,
}

// SAFETY: the context pointers belong to CPython's allocators, which may be called from any thread.
unsafe impl Send for Below {}
// SAFETY: as above.
unsafe impl Sync for Below {}

static BELOW: OnceLock<Below> = OnceLock::new();

/// Puts the hooks in. To be called between CPython's pre-initialisation and its initialisation, once.
pub(crate) fn install() {
    let mut raw = ffi::PyMemAllocatorEx { ctx: ptr::null_mut(), malloc: None, calloc: None, realloc: None, free: None };
    let mut arena = ffi::PyObjectArenaAllocator { ctx: ptr::null_mut(), alloc: None, free: None };
    // SAFETY: CPython is pre-initialised and no other thread uses it yet.
    unsafe {
        ffi::PyMem_GetAllocator(ffi::PyMemAllocatorDomain::PYMEM_DOMAIN_RAW, &mut raw);
        ffi::PyObject_GetArenaAllocator(&mut arena);
    }
    if BELOW.set(Below { raw, arena }).is_err() {
        return;
    }
    let mut raw = ffi::PyMemAllocatorEx {
        ctx: ptr::null_mut(),
        malloc: Some(raw_malloc),
        calloc: Some(raw_calloc),
        realloc: Some(raw_realloc),
        free: Some(raw_free),
    };
    let mut arena =
        ffi::PyObjectArenaAllocator { ctx: ptr::null_mut(), alloc: Some(arena_alloc), free: Some(arena_free) };
    // SAFETY: the hooks honour the contracts of the allocators that they wrap; CPython copies the structs.
    unsafe {
        ffi::PyMem_SetAllocator(ffi::PyMemAllocatorDomain::PYMEM_DOMAIN_RAW, &mut raw);
        ffi::PyObject_SetArenaAllocator(&mut arena);
    }
}

/// Whether the hooks are in and count: tried with a block of raw memory and by the arena allocator that is set.
pub(crate) fn armed() -> bool {
    const PROBE: usize = 64 << 10;
    let probe = MemoryMeter::new(Some(PROBE as u64 + 4096));
    // SAFETY: the probe outlives the guard.
    let guard = unsafe { meter(&probe) };
    let strict = lenient(false);
    // SAFETY: raw memory may be taken at any time after pre-initialisation; what is granted is given back.
    let (granted, refused) = unsafe {
        let granted = ffi::PyMem_RawMalloc(PROBE);
        let refused = ffi::PyMem_RawMalloc(PROBE);
        let answer = (!granted.is_null(), refused.is_null());
        ffi::PyMem_RawFree(granted);
        ffi::PyMem_RawFree(refused);
        answer
    };
    drop(strict);
    drop(guard);
    let mut arena = ffi::PyObjectArenaAllocator { ctx: ptr::null_mut(), alloc: None, free: None };
    // SAFETY: reading the allocator that is set.
    unsafe { ffi::PyObject_GetArenaAllocator(&mut arena) };
    let arena_hooked = arena.alloc.is_some_and(|alloc| ptr::fn_addr_eq(alloc, arena_alloc as ArenaAlloc));
    granted && refused && probe.refused().is_some() && probe.used() == 0 && arena_hooked
}

type ArenaAlloc = extern "C" fn(*mut c_void, usize) -> *mut c_void;

fn usable(block: *mut c_void) -> usize {
    // SAFETY: the raw domain's blocks come from `malloc`, and null is allowed.
    unsafe { libc::malloc_usable_size(block) }
}

extern "C" fn raw_malloc(_: *mut c_void, size: usize) -> *mut c_void {
    let Some(Below { raw, .. }) = BELOW.get() else { return ptr::null_mut() };
    let Some(malloc) = raw.malloc else { return ptr::null_mut() };
    let Some(meter) = current() else { return malloc(raw.ctx, size) };
    if !admit(meter, size) {
        return ptr::null_mut();
    }
    let block = malloc(raw.ctx, size);
    meter.add(usable(block) as u64);
    block
}

extern "C" fn raw_calloc(_: *mut c_void, count: usize, size: usize) -> *mut c_void {
    let Some(Below { raw, .. }) = BELOW.get() else { return ptr::null_mut() };
    let Some(calloc) = raw.calloc else { return ptr::null_mut() };
    let Some(meter) = current() else { return calloc(raw.ctx, count, size) };
    if !admit(meter, count.saturating_mul(size)) {
        return ptr::null_mut();
    }
    let block = calloc(raw.ctx, count, size);
    meter.add(usable(block) as u64);
    block
}

extern "C" fn raw_realloc(_: *mut c_void, block: *mut c_void, size: usize) -> *mut c_void {
    let Some(Below { raw, .. }) = BELOW.get() else { return ptr::null_mut() };
    let Some(realloc) = raw.realloc else { return ptr::null_mut() };
    let Some(meter) = current() else { return realloc(raw.ctx, block, size) };
    let before = usable(block);
    if size > before && !admit(meter, size - before) {
        return ptr::null_mut();
    }
    let moved = realloc(raw.ctx, block, size);
    if !moved.is_null() {
        meter.remove(before as u64);
        meter.add(usable(moved) as u64);
    }
    moved
}

extern "C" fn raw_free(_: *mut c_void, block: *mut c_void) {
    let Some(Below { raw, .. }) = BELOW.get() else { return };
    let Some(free) = raw.free else { return };
    if let Some(meter) = current() {
        meter.remove(usable(block) as u64);
    }
    free(raw.ctx, block);
}

extern "C" fn arena_alloc(_: *mut c_void, size: usize) -> *mut c_void {
    let Some(Below { arena, .. }) = BELOW.get() else { return ptr::null_mut() };
    let Some(alloc) = arena.alloc else { return ptr::null_mut() };
    let Some(meter) = current() else { return alloc(arena.ctx, size) };
    // No breach: CPython falls back on the raw domain, which decides for the object at hand.
    if !meter.fits(size as u64) {
        return ptr::null_mut();
    }
    let block = alloc(arena.ctx, size);
    if !block.is_null() {
        meter.add(size as u64);
    }
    block
}

extern "C" fn arena_free(_: *mut c_void, block: *mut c_void, size: usize) {
    let Some(Below { arena, .. }) = BELOW.get() else { return };
    let Some(free) = arena.free else { return };
    if let Some(meter) = current() {
        meter.remove(size as u64);
    }
    free(arena.ctx, block, size);
}
