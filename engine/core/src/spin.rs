use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvError, TryRecvError};
use std::time::{Duration, Instant};

/// The longest look, and the longest wait that counts as short. Waking a thread takes 20 to 60 µs where its processor sleeps.
const SHORT: Duration = Duration::from_micros(200);

/// How long after a short wait the next one may begin, for the other side to be awake still.
const RECENT: Duration = Duration::from_millis(2);

/// For longer than this nobody keeps a processor but those that have much to do.
const BUSY: Duration = Duration::from_millis(1);

/// How many times as long as it lost a processor for a thread leaves the looking be, and all others of its process.
const REST: u32 = 20;

/// One side of a conversation: after a short wait it looks for what comes before it goes to sleep, because that comes sooner than
/// it could be woken.
///
/// While it looks it gives the processor to whoever else wants it. Where somebody kept that, the machine has other things to do, and
/// nobody in this process looks for a while: what looking costs then is a twentieth. With one processor nobody does ever.
#[derive(Debug, Default)]
pub struct Spin {
    /// Until when the other side is awake, in microseconds of the clock.
    awake: AtomicU64,
}

/// A wait under way. When it is dropped, what was waited for is there.
#[derive(Debug)]
pub struct Wait<'a> {
    spin: &'a Spin,
    start: Instant,
    looks: bool,
}

impl Spin {
    /// One that has not waited yet.
    pub const fn new() -> Spin {
        Spin { awake: AtomicU64::new(0) }
    }

    /// Begins to wait for something that is not there yet.
    pub fn wait(&self) -> Wait<'_> {
        let start = Instant::now();
        let from = BUSY_UNTIL.load(Ordering::Relaxed);
        let looks = since(start).is_some_and(|now| now < self.awake.load(Ordering::Relaxed) && now >= from);
        Wait { spin: self, start, looks }
    }

    /// What comes over a channel.
    ///
    /// # Errors
    /// As [`Receiver::recv`].
    pub fn receive<T>(&self, channel: &Receiver<T>) -> Result<T, RecvError> {
        let mut wait = self.wait();
        loop {
            match channel.try_recv() {
                Ok(come) => return Ok(come),
                Err(TryRecvError::Disconnected) => return Err(RecvError),
                Err(TryRecvError::Empty) if wait.looks() => {}
                Err(TryRecvError::Empty) => return channel.recv(),
            }
        }
    }
}

impl Wait<'_> {
    /// Whether to look once more; else it is time to go to sleep.
    pub fn looks(&mut self) -> bool {
        let now = Instant::now();
        if !self.looks || now.duration_since(self.start) >= SHORT {
            return false;
        }
        // What is waited for may be about to run on this very processor.
        std::thread::yield_now();
        let lost = now.elapsed();
        if lost > BUSY
            && let Some(until) = since(now + lost * REST)
        {
            BUSY_UNTIL.fetch_max(until, Ordering::Relaxed);
            self.looks = false;
        }
        true
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let awake = if now.duration_since(self.start) < SHORT { since(now + RECENT) } else { None };
        self.spin.awake.store(awake.unwrap_or(0), Ordering::Relaxed);
    }
}

/// Until when nobody in this process looks, in microseconds of the clock.
static BUSY_UNTIL: AtomicU64 = AtomicU64::new(0);

/// A time by the clock, in microseconds; `None` where there is one processor only.
fn since(time: Instant) -> Option<u64> {
    static CLOCK: OnceLock<Option<Instant>> = OnceLock::new();
    let clock = CLOCK.get_or_init(|| {
        let several = std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
        several.then(Instant::now)
    });
    clock.map(|clock| u64::try_from(time.saturating_duration_since(clock).as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn what_is_there_is_received_and_an_end_is_seen() {
        let spin = Spin::new();
        let (sender, receiver) = channel();
        for n in 0..5 {
            sender.send(n).unwrap();
            assert_eq!(spin.receive(&receiver), Ok(n));
        }
        drop(sender);
        assert_eq!(spin.receive(&receiver), Err(RecvError));
    }

    #[test]
    fn nobody_looks_at_first_nor_after_a_long_wait() {
        let spin = Spin::new();
        let mut wait = spin.wait();
        assert!(!wait.looks());
        std::thread::sleep(2 * SHORT);
        drop(wait);
        assert!(!spin.wait().looks());
    }

    #[test]
    fn nobody_looks_once_the_other_side_may_be_asleep() {
        let spin = Spin::new();
        drop(spin.wait());
        std::thread::sleep(2 * RECENT);
        assert!(!spin.wait().looks());
    }
}
