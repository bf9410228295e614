use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use std::os::fd::OwnedFd;

/// The host's end of where a worker is told that a request is to stop.
#[derive(Debug)]
pub(crate) struct Control(OwnedFd);

impl Control {
    /// Both ends.
    pub(crate) fn make() -> Result<(Control, OwnedFd), Errno> {
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Control(near), far))
    }

    /// Says that a request is to stop. A worker that does not listen is ended when its grace is over.
    pub(super) fn stop(&self, run: u64) {
        let _ = send(&self.0, &run.to_le_bytes(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    }
}
