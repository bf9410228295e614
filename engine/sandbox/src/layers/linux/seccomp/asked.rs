//! Calls that somebody is asked about: a process that may start no other is copied where its host wants that, and only then; and one that
//! has copies in its namespace does to itself what it likes, and nothing to those.

use super::super::fault::{Attempt, Fault};
use crate::LayerName::Seccomp;
use crate::layers::Question;
use libc::c_long;
use rustix::io::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What is asked of the descriptor where calls are asked about: to take a question, and to answer it.
pub(super) const REQUESTS: [u64; 2] = [RECEIVE as u64, SEND as u64];

const RECEIVE: u32 = 0xc050_2100;
const SEND: u32 = 0xc018_2101;

/// The flags with which the C library forks.
const FORK: u32 = (libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD) as u32;

// Where the filter's program finds things: the number, and the lower half of each argument.
const NUMBER: u32 = 0;
const FIRST: u32 = 16;
const SECOND: u32 = 24;

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

const ALLOW: libc::sock_filter = step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW);
const ASK: libc::sock_filter = step(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF);
const REFUSE: libc::sock_filter = step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);

const fn step(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// Goes on with the next step where what is loaded is this, else over so many.
const fn unless(k: u32, over: u8) -> libc::sock_filter {
    step(EQUAL, 0, over, k)
}

/// Each call with what becomes of it; every other one is another filter's.
fn calls() -> Vec<(c_long, Vec<libc::sock_filter>)> {
    let first = step(LOAD, 0, 0, FIRST);
    let second = step(LOAD, 0, 0, SECOND);
    let itself_or_asked = || vec![first, unless(0, 1), ALLOW, ASK];
    let mut calls = vec![
        (
            libc::SYS_clone,
            vec![first, step(ANY_BIT, 0, 1, libc::CLONE_THREAD as u32), ALLOW, unless(FORK, 1), ASK, REFUSE],
        ),
        (libc::SYS_prlimit64, itself_or_asked()),
        (libc::SYS_sched_setaffinity, itself_or_asked()),
        // Its own priority, by the number that means itself.
        (libc::SYS_setpriority, vec![first, unless(0, 3), second, unless(0, 1), ALLOW, REFUSE]),
        // A file that signals whom it is told to.
        (
            libc::SYS_fcntl,
            vec![second, unless(libc::F_SETOWN as u32, 1), REFUSE, unless(F_SETOWN_EX, 1), REFUSE, ALLOW],
        ),
        // Whoever could be looked into could be changed.
        (
            libc::SYS_prctl,
            vec![first, unless(libc::PR_SET_DUMPABLE as u32, 3), second, unless(0, 2), ALLOW, ALLOW, REFUSE],
        ),
    ];
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo] {
        calls.push((call, vec![ASK]));
    }
    // What they name is not what the process can be told from.
    calls.extend([libc::SYS_tkill, libc::SYS_pidfd_send_signal].map(|call| (call, vec![REFUSE])));
    calls
}

const F_SETOWN_EX: u32 = 15;

fn program() -> Vec<libc::sock_filter> {
    let mut program = vec![step(LOAD, 0, 0, NUMBER)];
    for (call, steps) in calls() {
        program.push(unless(call as u32, u8::try_from(steps.len()).unwrap_or(u8::MAX)));
        program.extend(steps);
    }
    program.push(ALLOW);
    program
}

/// Has each fork of the calling process, and of its copies, asked about, and whatever could reach another one; gives where. All other
/// ways to start a process are refused.
///
/// # Errors
/// Where the kernel has no such filters, or where this program is under one already.
pub(crate) fn listen() -> Result<OwnedFd, Fault> {
    let mut program = program();
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
pub(crate) fn answer(listener: &OwnedFd, may: impl FnOnce(Question) -> bool) -> Result<(), Errno> {
    // SAFETY: all zeros is what the kernel wants to be given, and both outlive the calls.
    unsafe {
        let mut question: libc::seccomp_notif = std::mem::zeroed();
        if libc::ioctl(listener.as_raw_fd(), RECEIVE as _, &raw mut question) != 0 {
            return match Errno::from_io_error(&std::io::Error::last_os_error()) {
                Some(Errno::NOENT | Errno::INTR | Errno::AGAIN) => Ok(()),
                other => Err(other.unwrap_or(Errno::IO)),
            };
        }
        let asker = question.pid as i32;
        let asked = match c_long::from(question.data.nr) {
            libc::SYS_clone => Question::Fork { asker },
            _ => Question::Reach { asker, target: question.data.args[0] as i32 },
        };
        let mut reply: libc::seccomp_notif_resp = std::mem::zeroed();
        reply.id = question.id;
        if may(asked) {
            reply.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
        } else {
            reply.error = -libc::EPERM;
        }
        libc::ioctl(listener.as_raw_fd(), SEND as _, &raw mut reply);
    }
    Ok(())
}
