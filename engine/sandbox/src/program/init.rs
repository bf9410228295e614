//! The first process of a program's namespace: it starts the program, collects whatever ends in the namespace, and says how the
//! program ended. When it ends, the kernel ends what the program left behind.

use crate::zygote::{Exec, server::end};
use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};
use std::ffi::{CString, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

/// Which of a program's descriptors words are written to.
const SAID: usize = 3;

/// What is written of a program: how it ended as `wait` gives it, or why it was not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Ended(i32),
    NotStarted(i32),
}

impl Word {
    /// The length of a word on the wire.
    pub(crate) const LENGTH: usize = 5;

    pub(crate) fn to_bytes(self) -> [u8; Word::LENGTH] {
        let (tag, number) = match self {
            Word::Ended(status) => (0, status),
            Word::NotStarted(errno) => (1, errno),
        };
        let [a, b, c, d] = number.to_le_bytes();
        [tag, a, b, c, d]
    }

    pub(crate) fn from_bytes(bytes: [u8; Word::LENGTH]) -> Option<Word> {
        let [tag, number @ ..] = bytes;
        let number = i32::from_le_bytes(number);
        match tag {
            0 => Some(Word::Ended(number)),
            1 => Some(Word::NotStarted(number)),
            _ => None,
        }
    }
}

/// Attends to the program, the only child of this process, and then ends with all that is left in the namespace. `fds` are
/// the program's, of which it keeps the one where words are written to.
///
/// It has no right that the program could make use of, and cannot be looked into.
pub(crate) fn attend(program: i32, fds: Vec<OwnedFd>) -> ! {
    let Some(said) = fds.into_iter().nth(SAID) else { end(80) };
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let none = rustix::thread::CapabilitySets {
        effective: rustix::thread::CapabilitySet::empty(),
        permitted: rustix::thread::CapabilitySet::empty(),
        inheritable: rustix::thread::CapabilitySet::empty(),
    };
    let _ = rustix::thread::set_capabilities(None, none);
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid.as_raw_pid() == program => {
                let _ = rustix::io::write(&said, &Word::Ended(status.as_raw()).to_bytes());
                end(0);
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => end(79),
        }
    }
}

/// Becomes the program. `fds` are its three standard ones, where words are written to, and what else it is given.
pub(crate) fn become_program(exec: Exec, fds: Vec<OwnedFd>) -> ! {
    let [stdin, stdout, stderr, said, more @ ..] = &fds[..] else { end(80) };
    let errno = match execute(exec, [stdin, stdout, stderr], more) {
        Ok(never) => match never {},
        Err(errno) => errno,
    };
    let _ = rustix::io::write(said, &Word::NotStarted(errno.raw_os_error()).to_bytes());
    end(81)
}

enum Never {}

fn execute(exec: Exec, standard: [&OwnedFd; 3], more: &[OwnedFd]) -> Result<Never, Errno> {
    let text = |text: OsString| CString::new(text.into_vec()).map_err(|_| Errno::INVAL);
    let executable = text(exec.executable.into_os_string())?;
    let arguments = exec.arguments.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let environment = exec.environment.into_iter();
    let environment = environment
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            text(name)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let pointers = |all: &[CString]| all.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>();
    let (argv, envp) = (pointers(&arguments), pointers(&environment));
    // All are above the standard three, so that none is overwritten by another.
    let [stdin, stdout, stderr] = standard;
    rustix::stdio::dup2_stdin(stdin)?;
    rustix::stdio::dup2_stdout(stdout)?;
    rustix::stdio::dup2_stderr(stderr)?;
    // What is given beside them keeps its number.
    for fd in more {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
    }
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: the default action installs no handler. Signals that have no other action refuse it, which is as well.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: a zeroed set of signals is one, the pointers are of terminated strings that live, and the lists end in null.
    unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::execve(executable.as_ptr(), argv.as_ptr(), envp.as_ptr());
    }
    Err(Errno::from_raw_os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)))
}
