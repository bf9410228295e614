use crate::allocator::{CountingAllocator, Reading};
use skills_core::{Breach, LimitName};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// How far beyond the limit one operation may take a script: a tenth of the limit and this many bytes.
const SLACK: i64 = 8 << 20;

/// Whether memory is counted in this process. Found once: a global allocator is there from the start.
pub(crate) fn counted() -> bool {
    static COUNTED: OnceLock<bool> = OnceLock::new();
    *COUNTED.get_or_init(CountingAllocator::installed)
}

/// The memory limit of the run at hand, measured from where the thread stood when it began.
///
/// Everything is used on the thread of the session only; the atomics are there because Rhai's hooks must be `Sync`.
#[derive(Debug, Default)]
pub(crate) struct MemoryCap {
    /// The limit in bytes; `i64::MAX` for none.
    limit: AtomicI64,
    /// What no operation may take the script beyond.
    ceiling: AtomicI64,
    /// What the thread held when the run began, moved by what the host took or gave since.
    base: AtomicI64,
    text_base: AtomicI64,
    /// A thread reading up to which no next operation can pass the ceiling.
    easy: AtomicI64,
}

/// What a run found when it began, to be put back when it ends: runs may nest on one thread.
#[derive(Debug)]
pub(crate) struct Outer(Reading);

/// What a script held at one moment, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    held: i64,
    text: i64,
    largest_text: i64,
}

impl Mark {
    /// All bytes.
    pub(crate) fn held(self) -> u64 {
        u64::try_from(self.held).unwrap_or(0)
    }
}

impl MemoryCap {
    /// Starts to measure against a limit in bytes.
    pub(crate) fn begin(&self, limit: Option<u64>) -> Outer {
        self.begin_from(limit, Mark::default())
    }

    /// Starts to measure, where the script held something already when the run before ended.
    pub(crate) fn begin_from(&self, limit: Option<u64>, already: Mark) -> Outer {
        let now = Reading::now();
        Reading::restart(now.held, already.largest_text);
        let limit = limit.map_or(i64::MAX, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let ceiling = limit.saturating_add(limit / 10).saturating_add(SLACK);
        self.limit.store(limit, Relaxed);
        self.ceiling.store(ceiling, Relaxed);
        self.text_base.store(now.text - already.text, Relaxed);
        self.rebase(now.held - already.held);
        Outer(now)
    }

    fn rebase(&self, base: i64) {
        self.base.store(base, Relaxed);
        // An operation needs at most twice what is held on top of it.
        let easy = self.limit.load(Relaxed).min(self.ceiling.load(Relaxed) / 3);
        self.easy.store(base.saturating_add(easy), Relaxed);
    }

    /// The most that the script held, once the run has ended.
    pub(crate) fn end(&self, outer: Outer) -> Option<u64> {
        let now = Reading::now();
        let peak = now.peak - self.base.load(Relaxed);
        Reading::restart(outer.0.peak.max(now.held), outer.0.largest_text);
        counted().then_some(u64::try_from(peak).unwrap_or(0))
    }

    /// Whether an operation may need a closer look: two loads and a comparison.
    #[inline]
    pub(crate) fn suspicious(&self) -> bool {
        Reading::held() > self.easy.load(Relaxed)
    }

    /// The breach, where the script holds too much or its next operation could.
    pub(crate) fn check(&self) -> Result<(), Breach> {
        let now = Reading::now();
        let limit = self.limit.load(Relaxed);
        let held = now.held - self.base.load(Relaxed);
        if held > limit {
            return Err(breach(limit, held));
        }
        let text = (now.text - self.text_base.load(Relaxed)).max(0);
        let string = now.largest_text.min(text);
        let growth = (held - text).max(string.saturating_mul(2));
        let reach = held.saturating_add(growth);
        if reach > self.ceiling.load(Relaxed) { Err(breach(limit, reach)) } else { Ok(()) }
    }

    /// The breach, where that many more bytes are more than the script may hold.
    pub(crate) fn check_more(&self, bytes: u64) -> Result<(), Breach> {
        let limit = self.limit.load(Relaxed);
        let reading = self.held().saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
        if reading > limit { Err(breach(limit, reading)) } else { Ok(()) }
    }

    /// The bytes that the script may still take.
    pub(crate) fn left(&self) -> u64 {
        u64::try_from(self.limit.load(Relaxed).saturating_sub(self.held())).unwrap_or(0)
    }

    /// The limit in bytes.
    pub(crate) fn limit(&self) -> u64 {
        u64::try_from(self.limit.load(Relaxed)).unwrap_or(0)
    }

    fn held(&self) -> i64 {
        Reading::now().held - self.base.load(Relaxed)
    }

    /// What the script holds, for [`MemoryCap::settle`] and [`MemoryCap::begin_from`].
    pub(crate) fn mark(&self) -> Mark {
        let now = Reading::now();
        let (held, text) = (now.held - self.base.load(Relaxed), now.text - self.text_base.load(Relaxed));
        Mark { held, text, largest_text: now.largest_text }
    }

    /// Makes a value for the script, which from now on holds what it held at the mark and that value: what else was
    /// allocated or freed since is the host's.
    pub(crate) fn settle<T>(&self, mark: Mark, make: impl FnOnce() -> T) -> T {
        let before = Reading::now();
        let value = make();
        let after = Reading::now();
        let base = before.held - mark.held;
        let shift = base - self.base.load(Relaxed);
        self.text_base.store(before.text - mark.text, Relaxed);
        Reading::restart(after.peak + shift, after.largest_text);
        self.rebase(base);
        value
    }

    /// Runs something of the host's, whose memory is not the script's: what it keeps, frees or used in between.
    pub(crate) fn outside<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = Reading::now();
        let value = work();
        let after = Reading::now();
        self.rebase(self.base.load(Relaxed) + after.held - before.held);
        let text = self.text_base.load(Relaxed) + after.text - before.text;
        self.text_base.store(text, Relaxed);
        Reading::restart(before.peak + after.held - before.held, before.largest_text);
        value
    }
}

fn breach(limit: i64, reading: i64) -> Breach {
    let bytes = |n: i64| u64::try_from(n).unwrap_or(0);
    Breach { name: LimitName::Memory, limit: bytes(limit), reading: bytes(reading) }
}
