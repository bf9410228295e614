use crate::zygote::wire;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_passcred;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The host's end of where a worker is told that a request is to stop.
#[derive(Debug)]
pub(crate) struct Control(OwnedFd);

impl Control {
    /// Both ends.
    pub(crate) fn make() -> Result<(Control, OwnedFd), Errno> {
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        // The kernel then says of each message who sent it.
        set_socket_passcred(&near, true)?;
        Ok((Control(near), far))
    }

    /// Says that a request is to stop. A worker that does not listen is ended when its grace is over.
    pub(super) fn stop(&self, run: u64) {
        let _ = send(&self.0, &run.to_le_bytes(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    }

    /// Gives a worker what a copy of it is to talk over.
    pub(super) fn hand(&self, fds: &[BorrowedFd<'_>]) -> std::io::Result<()> {
        wire::send_word(self.0.as_fd(), 0, fds)
    }

    /// Who greets over this, as the kernel says it; `None` where nobody does.
    pub(super) fn greeted(&self) -> Option<u32> {
        /// A member greets as soon as it is there.
        const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        match rustix::io::retry_on_intr(|| poll(&mut fds, Some(&PATIENCE))) {
            Ok(1..) => wire::receive_greeting(self.0.as_fd()).ok().flatten(),
            _ => None,
        }
    }
}
