//! Forks that somebody is asked about: a process that may start no other is copied where its host wants that, and only then.

use super::super::fault::{Attempt, Fault};
use crate::LayerName::Seccomp;
use rustix::io::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What is asked of the descriptor where forks are asked about: to take a question, and to answer it.
pub(super) const REQUESTS: [u64; 2] = [RECEIVE as u64, SEND as u64];

const RECEIVE: u32 = 0xc050_2100;
const SEND: u32 = 0xc018_2101;

/// The flags with which the C library forks.
const FORK: u32 = (libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD) as u32;

/// Where the filter's program finds things.
const NUMBER: u32 = 0;
const FLAGS: u32 = 16;

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

/// Has each fork of the calling process, and of its copies, asked about; gives where. All other ways to start a process are refused.
///
/// # Errors
/// Where the kernel has no such filters, or where this program is under one already.
pub(crate) fn listen() -> Result<OwnedFd, Fault> {
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut program = [
        step(LOAD, 0, 0, NUMBER),
        step(EQUAL, 0, 4, libc::SYS_clone as u32),
        step(LOAD, 0, 0, FLAGS),
        step(ANY_BIT, 2, 0, libc::CLONE_THREAD as u32),
        step(EQUAL, 0, 2, FORK),
        step(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program outlives the call, and the kernel copies it.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(std::io::Error::last_os_error);
    let fd = fd.attempt(Seccomp, "having forks asked about")?;
    // SAFETY: made just now, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes one question and answers it with what `may` says. Who asked may have ended by then.
///
/// # Errors
/// Where nobody is left who could ask.
pub(crate) fn answer(listener: &OwnedFd, may: impl FnOnce() -> bool) -> Result<(), Errno> {
    // SAFETY: all zeros is what the kernel wants to be given, and both outlive the calls.
    unsafe {
        let mut question: libc::seccomp_notif = std::mem::zeroed();
        if libc::ioctl(listener.as_raw_fd(), RECEIVE as _, &raw mut question) != 0 {
            return match Errno::from_io_error(&std::io::Error::last_os_error()) {
                Some(Errno::NOENT | Errno::INTR | Errno::AGAIN) => Ok(()),
                other => Err(other.unwrap_or(Errno::IO)),
            };
        }
        let mut reply: libc::seccomp_notif_resp = std::mem::zeroed();
        reply.id = question.id;
        if may() {
            reply.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
        } else {
            reply.error = -libc::EPERM;
        }
        libc::ioctl(listener.as_raw_fd(), SEND as _, &raw mut reply);
    }
    Ok(())
}
