//! What keeps one host call from allocating or working without bound.

use serde_json::Value;
use skills_core::{Breach, Budget, ErrorKind, Failure, LimitName};
use std::time::{Duration, Instant};

/// The largest result of one host call, in bytes: of text, and [`VALUE`] for each value.
pub(crate) const MAX_RESULT: u64 = 64 << 20;

/// What one JSON value counts at least. It takes several times as much memory, whatever it holds.
pub(crate) const VALUE: usize = 16;

/// How long one host call may work. A run's execution clock stands still meanwhile, so this is what bounds it.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(10);

/// The failure of a result of `reading` bytes or more.
fn too_large(reading: u64) -> Failure {
    let breach = Breach { name: LimitName::Result, limit: MAX_RESULT, reading };
    let mut failure = Failure::new(ErrorKind::OutputLimit, "the result of one host call may not be larger than 64 MB")
        .with_help("work on the input in smaller pieces");
    failure.limit = Some(breach);
    failure
}

/// Counts the bytes of a result before they are made.
#[derive(Debug, Default)]
pub(crate) struct Tally(u64);

impl Tally {
    /// Counts bytes that are about to be made; fails where the result would be larger than [`MAX_RESULT`].
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), Failure> {
        self.0 = self.0.saturating_add(bytes as u64);
        if self.0 > MAX_RESULT { Err(too_large(self.0)) } else { Ok(()) }
    }

    /// Counts a value that is about to be made or cloned.
    pub(crate) fn add_value(&mut self, value: &Value) -> Result<(), Failure> {
        self.add(usize::try_from(size(value)).unwrap_or(usize::MAX))
    }
}

/// A buffer that refuses to grow past [`MAX_RESULT`].
#[derive(Debug, Default)]
pub(crate) struct BoundedBuffer(Vec<u8>);

impl BoundedBuffer {
    /// What was written, as text. Writers of text only.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8(self.0).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }
}

impl std::io::Write for BoundedBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let reading = (self.0.len() + bytes.len()) as u64;
        if reading > MAX_RESULT {
            return Err(std::io::Error::other(too_large(reading)));
        }
        self.0.extend_from_slice(bytes);
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

/// Fails where a finished result is larger than [`MAX_RESULT`].
pub(crate) fn check_result(value: &Value) -> Result<(), Failure> {
    let size = size(value);
    if size > MAX_RESULT { Err(too_large(size)) } else { Ok(()) }
}

/// What a value counts, as [`MAX_RESULT`] has it; without recursion.
fn size(value: &Value) -> u64 {
    let mut size: u64 = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        size += VALUE as u64;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => size += text.len() as u64,
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                size += map.keys().map(|key| key.len() as u64).sum::<u64>();
                open.extend(map.values());
            }
        }
    }
    size
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

    /// Why the call had to stop.
    pub(crate) fn failure(&self) -> Failure {
        if let Some(verdict) = self.budget.verdict() {
            return verdict.clone();
        }
        let message = match self.budget.remaining() {
            Some(Duration::ZERO) => "the time of the run is up",
            _ => "the host call took too long and was stopped",
        };
        Failure::new(ErrorKind::Timeout, message).with_help("give it less to do at once")
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

        let mut buffer = BoundedBuffer::default();
        buffer.write_all(&vec![b'x'; MAX_RESULT as usize]).unwrap();
        assert_eq!(write_failure(buffer.write_all(b"y").unwrap_err()).kind, ErrorKind::OutputLimit);
    }

    #[test]
    fn a_watch_stops_with_its_run() {
        let budget = Budget::new(Limits { wall: Some(Duration::ZERO), ..Limits::none() });
        assert_eq!(Watch::start(&budget).check().unwrap_err().message, "the time of the run is up");
        let budget = Budget::new(Limits::none());
        let watch = Watch::start(&budget);
        watch.check().unwrap();
        budget.cancel();
        assert_eq!(watch.check().unwrap_err().kind, ErrorKind::Cancelled);
    }
}
