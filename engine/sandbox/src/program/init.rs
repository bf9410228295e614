//! The first process of a program's namespace: it starts the program, collects whatever ends in the namespace, and says how the
//! program ended. When it ends, the kernel ends what the program left behind.

use super::helper::{FOLDER, NAME, VARIABLE};
use crate::layers::Confined;
use crate::zygote::{Exec, server::end};
use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};
use std::ffi::{CString, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

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

/// Starts the program, attends to it, and ends with all that is left in the namespace. `fds` are the program's three standard
/// ones, where words are written to, and what else it is given. The process is confined as the program is.
pub(crate) fn start_program(mut exec: Exec, confined: &Confined, helper: Option<&Path>, fds: Vec<OwnedFd>) -> ! {
    let [stdin, stdout, stderr, said, more @ ..] = &fds[..] else { end(80) };
    if let (Some(helper), Some(door)) = (helper, more.last()) {
        offer(helper, door, &mut exec.environment);
    }
    if exec.says
        && let Some(fd) = more.first()
    {
        exec.environment.push((skills_core::Program::SAYS.into(), fd.as_raw_fd().to_string().into()));
    }
    // Nobody looks into this process; the program can be looked into again once it is executed.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    // SAFETY: the process has one thread.
    let errno = match unsafe { libc::fork() } {
        0 => match execute(exec, confined, [stdin, stdout, stderr], more) {
            Ok(never) => match never {},
            Err(errno) => errno,
        },
        -1 => last_errno(),
        program => attend(program, fds),
    };
    let _ = rustix::io::write(said, &Word::NotStarted(errno.raw_os_error()).to_bytes());
    end(81)
}

/// Puts `skill` where the program finds it.
fn offer(helper: &Path, door: &OwnedFd, environment: &mut Vec<(OsString, OsString)>) {
    let _ = rustix::fs::mkdir(FOLDER, rustix::fs::Mode::from_raw_mode(0o755));
    let _ = rustix::fs::symlink(helper, Path::new(FOLDER).join(NAME));
    let path = match environment.iter_mut().find(|(name, _)| name == "PATH") {
        Some((_, path)) => path,
        None => {
            environment.push(("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()));
            return offer(helper, door, environment);
        }
    };
    let rest = std::mem::replace(path, FOLDER.into());
    path.push(":");
    path.push(rest);
    environment.push((VARIABLE.into(), door.as_raw_fd().to_string().into()));
}

/// Attends to the program, the only child of this process. It keeps nothing open but where it says how that ended.
fn attend(program: i32, fds: Vec<OwnedFd>) -> ! {
    let Some(said) = fds.into_iter().nth(SAID) else { end(80) };
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

enum Never {}

fn execute(exec: Exec, confined: &Confined, standard: [&OwnedFd; 3], more: &[OwnedFd]) -> Result<Never, Errno> {
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
    confined.before_program().map_err(|_| Errno::PERM)?;
    // SAFETY: a zeroed set of signals is one, the pointers are of terminated strings that live, and the lists end in null.
    unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::execve(executable.as_ptr(), argv.as_ptr(), envp.as_ptr());
    }
    Err(last_errno())
}

fn last_errno() -> Errno {
    Errno::from_raw_os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}
