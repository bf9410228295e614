use crate::frame::{Assembler, FromWorker, Malformed, Reply, ToWorker};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use skills_core::Spin;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The worker's end of the socket. Several threads of a script may print and call at once.
#[derive(Debug)]
pub(crate) struct Link {
    socket: UnixStream,
    writing: Mutex<()>,
    reading: Mutex<Assembler>,
    spin: Spin,
}

const GONE: Malformed = Malformed("the host is gone");

impl Link {
    pub(crate) fn new(socket: UnixStream) -> Link {
        Link { socket, writing: Mutex::default(), reading: Mutex::default(), spin: Spin::new() }
    }

    /// Sends a whole message.
    pub(crate) fn send(&self, message: &FromWorker) -> Result<(), Malformed> {
        self.send_frame(&message.encode()?)
    }

    /// Sends a whole frame.
    pub(crate) fn send_frame(&self, frame: &[u8]) -> Result<(), Malformed> {
        let _whole = lock(&self.writing);
        (&self.socket).write_all(frame).map_err(|_| GONE)
    }

    /// Sends a call, unless `send` finds that it may not be sent any more, and waits for its reply. One at a time: the host
    /// answers one after another too.
    pub(crate) fn ask(&self, send: impl FnOnce(&Link) -> Result<bool, Malformed>) -> Result<Option<Reply>, Malformed> {
        let mut inbox = lock(&self.reading);
        if !send(self)? {
            return Ok(None);
        }
        match self.next(&mut inbox)? {
            Some(ToWorker::Reply(reply)) => Ok(Some(reply)),
            Some(_) => Err(Malformed("a message comes at the wrong time")),
            None => Err(GONE),
        }
    }

    /// In a copy of the process: goes on over another socket, with whatever holds this.
    pub(crate) fn moved(&self, socket: &OwnedFd) -> rustix::io::Result<()> {
        replace(&self.socket, socket)
    }

    /// The next message, or nothing where the host has closed the socket.
    pub(crate) fn receive(&self) -> Result<Option<ToWorker>, Malformed> {
        self.next(&mut lock(&self.reading))
    }

    fn next(&self, inbox: &mut Assembler) -> Result<Option<ToWorker>, Malformed> {
        let mut waits = None;
        loop {
            if let Some(frame) = inbox.next(|_| u32::MAX as usize)? {
                return ToWorker::decode(frame).map(Some);
            }
            let looks = waits.get_or_insert_with(|| self.spin.wait()).looks();
            let flags = if looks { RecvFlags::DONTWAIT } else { RecvFlags::empty() };
            match recv(&self.socket, inbox.space(), flags) {
                Ok((0, _)) => return Ok(None),
                Ok((count, _)) => inbox.filled(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if looks => {}
                Err(_) => return Err(GONE),
            }
        }
    }
}

/// Has a descriptor stand for what another one stands for, so that all who know it go on there.
pub(crate) fn replace(old: &impl AsRawFd, new: &OwnedFd) -> rustix::io::Result<()> {
    // SAFETY: both are open; the number of the old one goes on being its owner's.
    if unsafe { libc::dup3(new.as_raw_fd(), old.as_raw_fd(), libc::O_CLOEXEC) } < 0 {
        let error = std::io::Error::last_os_error();
        return Err(rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
