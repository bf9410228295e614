use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};
use skills_core::{ErrorKind, Failure};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null_mut, with_exposed_provenance_mut};
use std::thread::Result as Caught;

/// The sizes that are tried: a process whose address space is limited may not have the first.
const SIZES: [usize; 3] = [256 << 20, 64 << 20, 16 << 20];

/// What no access may reach, at the low end. Larger than any one frame, which could otherwise step over it.
const GUARD: usize = 64 << 10;

/// What stays in memory between runs.
const WARM: usize = 64 << 10;

/// A stack of a session's own, for its runs.
///
/// A script's calls nest far deeper than the usual 2 MiB of a thread hold, and so do its values, which Rhai copies and
/// drops by recursion. It is address space: only what a run touches becomes memory. It is kept between runs because
/// making one takes longer than a small run.
pub(crate) struct Stack {
    low: *mut c_void,
    size: usize,
}

impl Stack {
    /// A new stack.
    ///
    /// # Errors
    /// `unavailable` where there is no address space for it.
    pub(crate) fn new() -> Result<Stack, Failure> {
        SIZES.into_iter().find_map(Stack::of_size).ok_or_else(|| {
            Failure::new(ErrorKind::Unavailable, "there is no address space for the stack of a Rhai session")
                .with_help("raise the limit on this process's address space by 16 MB")
        })
    }

    #[allow(unsafe_code)]
    fn of_size(size: usize) -> Option<Stack> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::STACK;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
        let low = unsafe { mmap_anonymous(null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, flags) }.ok()?;
        let stack = Stack { low, size };
        // SAFETY: the range is the beginning of the mapping just made, which nothing uses yet.
        unsafe { mprotect(low, GUARD, MprotectFlags::empty()) }.ok()?;
        Some(stack)
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Runs something on this stack. A panic is caught and given back.
    #[allow(unsafe_code)]
    pub(crate) fn run<T>(&mut self, work: impl FnOnce() -> T) -> Caught<T> {
        // SAFETY: the mapping is aligned to pages and of a size that is a multiple of them; `&mut self` makes sure that
        // nobody else runs on it; it lives until this returns; the callback catches every panic.
        unsafe { psm::on_stack(self.low.cast(), self.size, || catch_unwind(AssertUnwindSafe(work))) }
    }

    /// Gives memory that a deep run left behind back to the system.
    #[allow(unsafe_code)]
    pub(crate) fn cool(&mut self) {
        let idle = self.size - GUARD - WARM;
        let from = with_exposed_provenance_mut(self.low.expose_provenance() + GUARD);
        // SAFETY: the range lies within the mapping, and nothing runs on it now: what it holds is of no use to anyone.
        // Where it fails, memory is kept a little longer.
        let _ = unsafe { madvise(from, idle, Advice::LinuxDontNeed) };
    }
}

impl Drop for Stack {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nothing runs on it any more.
        let _ = unsafe { munmap(self.low, self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_it_and_panics_come_back() {
        let mut stack = Stack::new().unwrap();
        let range = stack.low.addr()..stack.low.addr() + stack.size;
        let place = stack.run(|| psm::stack_pointer().addr()).unwrap();
        assert!(range.contains(&place));
        assert!(stack.run(|| panic!("on purpose")).is_err());
        assert_eq!(stack.run(|| deep(100_000)).unwrap(), 100_000);
        stack.cool();
        assert_eq!(stack.run(|| deep(1000)).unwrap(), 1000);
    }

    fn deep(n: u64) -> u64 {
        let frame = std::hint::black_box([n; 32]);
        if n == 0 { 0 } else { deep(frame[31] - 1) + 1 }
    }
}
