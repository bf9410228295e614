//! The first process of a program's namespace: it starts the program, collects whatever ends in the namespace, and says how the
//! program ended.

use crate::zygote::Exec;
use crate::zygote::server::end;
use std::os::fd::OwnedFd;

pub(crate) fn run(_exec: &Exec, _fds: Vec<OwnedFd>) -> ! {
    end(1)
}
