//! The entry of the worker executable.

use crate::container::inside;
use crate::zygote::{Kernel, server};
use std::os::fd::AsFd;

/// The first argument of a worker executable that is started as one.
pub(crate) const ARGUMENT: &str = "__skills-worker";

/// The kind of a process that only tries what the layers are worth.
pub(crate) const PROBE: &str = "probe";

/// The kind of the zygote of programs.
pub(crate) const COMMAND: &str = "command";

/// Makes the kernel of a kind.
pub type MakeKernel = fn() -> Box<dyn Kernel>;

/// Serves as a worker, where the process was started as one; returns at once otherwise.
///
/// Call it first thing in `main`, before any thread is started. `kernels` are the kinds of interpreters that it has.
pub fn entry(kernels: &[(&str, MakeKernel)]) {
    crate::program::helper::client::run();
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    let make = |kind: &str| kernels.iter().find(|(name, _)| *name == kind).map(|(_, make)| make());
    if first.as_ref().is_some_and(|first| first == inside::ARGUMENT) {
        let kernel = arguments.next().and_then(|kind| make(kind.to_str()?));
        // Whoever types this at a terminal meant something else.
        if let Some(kernel) = kernel.filter(|_| !rustix::termios::isatty(rustix::stdio::stdin())) {
            inside::start(kernel)
        }
        return;
    }
    if first.is_none_or(|first| first != ARGUMENT) {
        return;
    }
    // Somebody may type the argument: only a socket that a host made is a control socket.
    let stdin = std::io::stdin();
    if !matches!(rustix::net::sockopt::socket_domain(stdin.as_fd()), Ok(rustix::net::AddressFamily::UNIX)) {
        return;
    }
    let Some(kind) = arguments.next().and_then(|kind| kind.into_string().ok()) else { return };
    let kernel = make(&kind);
    server::start(&kind, kernel)
}
