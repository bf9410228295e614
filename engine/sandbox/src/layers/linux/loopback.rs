//! The one network interface of a confined process.

use super::PROXY_PORT;
use super::fault::{Attempt, Fault};
use crate::LayerName::NetworkNamespace;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;

/// Brings the loopback interface up and listens where the proxy is expected.
pub(super) fn listen() -> Result<TcpListener, Fault> {
    bring_up()?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, PROXY_PORT)).attempt(NetworkNamespace, "listening for the proxy")
}

fn bring_up() -> Result<(), Fault> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .attempt(NetworkNamespace, "opening a socket")?;
    // SAFETY: all zero is a request without a name and with no flag.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the kernel reads an `ifreq` at this address, which lives longer than the call.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } != 0 {
        return Err(std::io::Error::last_os_error()).attempt(NetworkNamespace, "bringing loopback up");
    }
    Ok(())
}
