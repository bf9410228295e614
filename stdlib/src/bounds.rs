//! What keeps one host call from allocating or working without bound.

use serde_json::Value;
use skills_core::{Breach, Budget, ErrorKind, Failure, LimitName};
use std::time::{Duration, Instant};

/// The largest result of one host call, in bytes: of text, and [`VALUE`] for each value. The memory limit of the run
/// holds as well, for what the result takes in memory.
pub(crate) const MAX_RESULT: u64 = 64 << 20;

/// What one JSON value counts at least against [`MAX_RESULT`].
pub(crate) const VALUE: usize = 16;

/// What one JSON value takes in memory, its text and members aside.
const HELD_VALUE: u64 = size_of::<Value>() as u64;

/// What a member of an object takes on top of its value and the text of its key: the key, its hash, and its place in
/// the table.
const HELD_ENTRY: u64 = 64;

/// How long one host call may work where the time of its run does not end sooner.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(10);

/// The failure of a result of `reading` bytes or more.
fn too_large(reading: u64) -> Failure {
    let breach = Breach { name: LimitName::Result, limit: MAX_RESULT, reading };
    let mut failure = Failure::new(ErrorKind::OutputLimit, "the result of one host call may not be larger than 64 MB")
        .with_help("work on the input in smaller pieces");
    failure.limit = Some(breach);
    failure
}

/// Counts what a result takes before it is made: against [`MAX_RESULT`], and against the memory limit of the run, which
/// a breach of that stops.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally<'a> {
    size: u64,
    held: u64,
    budget: Option<&'a Budget>,
}

impl<'a> Tally<'a> {
    /// A tally of nothing so far, for a call within a run's budget.
    pub(crate) fn of(budget: &'a Budget) -> Tally<'a> {
        Tally { budget: Some(budget), ..Tally::default() }
    }

    /// Counts bytes that are about to be made.
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), Failure> {
        self.count(bytes as u64, bytes as u64)
    }

    /// Counts values that are about to be made, with that many bytes of text in them all.
    pub(crate) fn add_values(&mut self, values: usize, text: usize) -> Result<(), Failure> {
        let (values, text) = (values as u64, text as u64);
        self.count(
            values.saturating_mul(VALUE as u64).saturating_add(text),
            values.saturating_mul(HELD_VALUE).saturating_add(text),
        )
    }

    /// Counts members of objects, whose values and keys' text are counted as such.
    pub(crate) fn add_entries(&mut self, entries: usize) -> Result<(), Failure> {
        self.count(0, (entries as u64).saturating_mul(HELD_ENTRY))
    }

    /// Counts room that is kept for values.
    pub(crate) fn add_room(&mut self, values: usize) -> Result<(), Failure> {
        self.count(0, (values as u64).saturating_mul(HELD_VALUE))
    }

    /// Counts a value that is about to be cloned.
    pub(crate) fn add_value(&mut self, value: &Value) -> Result<(), Failure> {
        let (size, held) = sizes(value);
        self.count(size, held)
    }

    fn count(&mut self, size: u64, held: u64) -> Result<(), Failure> {
        self.size = self.size.saturating_add(size);
        self.held = self.held.saturating_add(held);
        if self.size > MAX_RESULT {
            return Err(too_large(self.size));
        }
        match self.budget.and_then(|budget| budget.limits().memory.map(|limit| (budget, limit))) {
            Some((budget, limit)) if self.held > limit => {
                Err(budget.breach(Breach { name: LimitName::Memory, limit, reading: self.held }))
            }
            _ => Ok(()),
        }
    }
}

/// A buffer that refuses to grow past what a result may be.
#[derive(Debug)]
pub(crate) struct BoundedBuffer<'a> {
    bytes: Vec<u8>,
    tally: Tally<'a>,
}

impl<'a> BoundedBuffer<'a> {
    /// An empty buffer, for a call within a run's budget.
    pub(crate) fn of(budget: &'a Budget) -> BoundedBuffer<'a> {
        BoundedBuffer { bytes: Vec::new(), tally: Tally::of(budget) }
    }

    /// What was written, as text. Writers of text only.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }
}

impl std::io::Write for BoundedBuffer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.tally.add(bytes.len()).map_err(std::io::Error::other)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The failure that a [`BoundedBuffer`] gave to a writer, or else the writer's own error.
pub(crate) fn write_failure(error: std::io::Error) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => Failure::new(ErrorKind::Internal, format!("writing the result failed: {error}")),
    }
}

/// Fails where a finished result is larger than the run may hold, or any.
pub(crate) fn check_result(budget: &Budget, value: &Value) -> Result<(), Failure> {
    Tally::of(budget).add_value(value)
}

/// What a value counts, as [`MAX_RESULT`] has it, and what it takes in memory; without recursion.
fn sizes(value: &Value) -> (u64, u64) {
    let (mut values, mut entries, mut text): (u64, u64, u64) = (0, 0, 0);
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        values += 1;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(string) => text += string.len() as u64,
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                entries += map.len() as u64;
                text += map.keys().map(|key| key.len() as u64).sum::<u64>();
                open.extend(map.values());
            }
        }
    }
    (values * VALUE as u64 + text, values * HELD_VALUE + entries * HELD_ENTRY + text)
}

/// Watches the time of one host call that may work for long. Ask it inside every loop that input can make long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch<'a> {
    budget: &'a Budget,
    until: Instant,
}

impl<'a> Watch<'a> {
    /// A watch that starts now, for a call within a run's budget.
    pub(crate) fn start(budget: &'a Budget) -> Watch<'a> {
        Watch::within(budget, MAX_TIME)
    }

    /// A watch over a time of its own.
    pub(crate) fn within(budget: &'a Budget, time: Duration) -> Watch<'a> {
        let time = budget.remaining().map_or(time, |left| left.min(time));
        Watch { budget, until: Instant::now() + time }
    }

    /// Whether the call has to stop now.
    pub(crate) fn is_over(&self) -> bool {
        self.budget.stopping() || Instant::now() >= self.until
    }

    /// Fails where the call has to stop now.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.is_over() { Err(self.failure()) } else { Ok(()) }
    }

    /// When the call has to stop at the latest.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// Why the call had to stop. Where the time of its run is up, that stops the run.
    pub(crate) fn failure(&self) -> Failure {
        if let Err(failure) = self.budget.check_time() {
            return failure;
        }
        Failure::new(ErrorKind::Timeout, "the host call took too long and was stopped")
            .with_help("give it less to do at once")
    }
}

/// Looks at a watch every so often, for loops whose steps are short.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    watch: Watch<'a>,
    steps: u32,
}

impl<'a> Pace<'a> {
    /// Starts now, for a call within a run's budget.
    pub(crate) fn start(budget: &'a Budget) -> Pace<'a> {
        Pace { watch: Watch::start(budget), steps: 0 }
    }

    /// One more step; the first looks, and then one in many.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<(), Failure> {
        const STEPS: u32 = 1024;
        let due = self.steps.is_multiple_of(STEPS);
        self.steps = self.steps.wrapping_add(1);
        if due { self.watch.check() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skills_core::Limits;
    use std::io::Write as _;

    #[test]
    fn a_result_is_refused_before_it_is_made() {
        let mut tally = Tally::default();
        tally.add(MAX_RESULT as usize).unwrap();
        let failure = tally.add(1).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::OutputLimit);
        assert_eq!(failure.limit.unwrap().reading, MAX_RESULT + 1);

        let budget = Budget::new(Limits::none());
        let mut buffer = BoundedBuffer::of(&budget);
        buffer.write_all(&vec![b'x'; MAX_RESULT as usize]).unwrap();
        assert_eq!(write_failure(buffer.write_all(b"y").unwrap_err()).kind, ErrorKind::OutputLimit);
    }

    #[test]
    fn a_result_is_held_against_the_memory_of_its_run() {
        let limits = Limits { memory: Some(1 << 20), ..Limits::none() };
        let budget = Budget::new(limits.clone());
        Tally::of(&budget).add(1 << 20).unwrap();
        assert!(budget.verdict().is_none());
        let failure = Tally::of(&budget).add((1 << 20) + 1).unwrap_err();
        let breach = Breach { name: LimitName::Memory, limit: 1 << 20, reading: (1 << 20) + 1 };
        assert_eq!((failure.kind, failure.limit), (ErrorKind::MemoryLimit, Some(breach)));
        assert_eq!(budget.verdict(), Some(&failure));

        // A list of numbers is small as text.
        let budget = Budget::new(limits.clone());
        check_result(&budget, &vec![0; 10_000].into()).unwrap();
        assert_eq!(check_result(&budget, &vec![0; 20_000].into()).unwrap_err().kind, ErrorKind::MemoryLimit);
        let budget = Budget::new(limits);
        let mut buffer = BoundedBuffer::of(&budget);
        assert_eq!(write_failure(buffer.write_all(&[0; 2 << 20]).unwrap_err()).kind, ErrorKind::MemoryLimit);
    }

    #[test]
    fn a_watch_stops_with_its_run() {
        let budget = Budget::new(Limits { wall: Some(Duration::ZERO), ..Limits::none() });
        let failure = Watch::start(&budget).check().unwrap_err();
        assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::Timeout, LimitName::Wall));
        assert_eq!(budget.verdict(), Some(&failure));
        let budget = Budget::new(Limits::none());
        let watch = Watch::start(&budget);
        watch.check().unwrap();
        budget.cancel();
        assert_eq!(watch.check().unwrap_err().kind, ErrorKind::Cancelled);
    }
}
