//! The inside of a container: one session of an interpreter, whose frames come over the standard input and go over the
//! standard output.

use crate::zygote::Kernel;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// The first argument of a worker executable that is started in a container.
pub(crate) const ARGUMENT: &str = "__skills-container";

/// Serves one session and ends the process.
pub(crate) fn start(mut kernel: Box<dyn Kernel>) -> ! {
    // What an interpreter has ready before a fork is what it has ready here; there is just no fork.
    if kernel.warm().is_err() {
        crate::zygote::server::end(84);
    }
    match streams() {
        Ok(descriptors) => kernel.serve(descriptors),
        Err(_) => crate::zygote::server::end(85),
    }
}

/// What a session is given: its socket, and what becomes its standard output and its standard error. The process's own standard
/// output carries frames, so what is printed past the interpreter goes to the standard error.
fn streams() -> rustix::io::Result<Vec<OwnedFd>> {
    let (socket, far) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let copy = |fd: std::os::fd::BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3);
    let (input, output) = (copy(rustix::stdio::stdin())?, copy(rustix::stdio::stdout())?);
    let (out, err) = (copy(rustix::stdio::stderr())?, copy(rustix::stdio::stderr())?);
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    let from_host = UnixStream::from(far);
    let to_host = from_host
        .try_clone()
        .map_err(|error| rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO))?;
    let started = std::thread::Builder::new()
        .spawn(move || pump(File::from(input), from_host))
        .and_then(|_| std::thread::Builder::new().spawn(move || pump(to_host, File::from(output))));
    match started {
        Ok(_) => Ok(vec![socket, out, err]),
        Err(_) => Err(rustix::io::Errno::AGAIN),
    }
}

/// Copies until either side ends, then ends the process: without its host it has nothing to do.
fn pump(mut from: impl Read, mut to: impl Write) {
    let mut chunk = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..read]).is_err() {
            break;
        }
    }
    crate::zygote::server::end(0)
}
