//! What is on its way to a client.

use super::frame;
use super::message::FromHost;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// How much may wait for a client that does not read, in bytes: the largest answer, and what is printed on the way to it.
const MOST_WAITING: usize = frame::MOST + (32 << 20);

/// Sends to a client without waiting for it: a script must not stand still because somebody stopped the client that
/// asked for it. A client that reads nothing is let go when too much waits.
#[derive(Clone)]
pub(super) struct Outbox {
    queue: Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    stream: Arc<UnixStream>,
}

impl Outbox {
    /// The outbox of a connection, and the thread that empties it; that ends when the last clone is gone.
    pub(super) fn new(stream: Arc<UnixStream>) -> std::io::Result<(Outbox, JoinHandle<()>)> {
        let (queue, receiver) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (to, left) = (Arc::clone(&stream), Arc::clone(&waiting));
        let thread = std::thread::Builder::new().name("to a client".into());
        let thread = thread.stack_size(128 << 10).spawn(move || empty(&receiver, &to, &left))?;
        Ok((Outbox { queue, waiting, stream }, thread))
    }

    /// Sends a message, as far as anybody is there to take it.
    pub(super) fn send(&self, message: &FromHost) {
        let Ok(bytes) = frame::packed(message) else { return };
        self.put(bytes);
    }

    /// Sends a message that may be too long for one: tells whether it was not.
    pub(super) fn try_send(&self, message: &FromHost) -> std::io::Result<()> {
        frame::packed(message).map(|bytes| self.put(bytes))
    }

    fn put(&self, bytes: Vec<u8>) {
        let waiting = self.waiting.fetch_add(bytes.len(), Ordering::SeqCst) + bytes.len();
        if waiting > MOST_WAITING {
            self.hang_up();
            return;
        }
        // The thread is gone where the client is.
        drop(self.queue.send(bytes));
    }

    /// Lets the client go.
    pub(super) fn hang_up(&self) {
        drop(self.stream.shutdown(Shutdown::Both));
    }
}

fn empty(queue: &Receiver<Vec<u8>>, mut to: &UnixStream, waiting: &AtomicUsize) {
    use std::io::Write as _;
    for bytes in queue {
        if to.write_all(&bytes).is_err() {
            drop(to.shutdown(Shutdown::Both));
            return;
        }
        waiting.fetch_sub(bytes.len(), Ordering::SeqCst);
    }
}
