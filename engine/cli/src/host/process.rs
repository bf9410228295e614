//! The host's process: how it begins, and how it lets go of whoever started it.

#![expect(clippy::disallowed_methods, reason = "a process of its own has its own files, and leaves those it was given")]

use super::folder::Folder;
use super::openings::Openings;
use super::server::Host;
use super::{connection, frame};
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The first argument of a process that is started as the host.
pub(super) const ARGUMENT: &str = "__skills-session-host";

/// How long an earlier host may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The size beyond which what was logged goes, in bytes.
const MOST_LOGGED: u64 = 256 << 10;

/// What whoever starts a host tells it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// The folder to meet in.
    pub(super) folder: OsString,
    /// Where it writes what goes wrong.
    pub(super) log: Option<OsString>,
    /// After how long of nothing it ends.
    pub(super) idle: Duration,
}

/// What the host says when it listens, or why it cannot.
pub(super) type Started = Result<(), String>;

/// Lives as the host, where the process was started as one; `None` otherwise.
pub(crate) fn entry() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != ARGUMENT) {
        return None;
    }
    // Somebody may type the argument: only a socket that a client made is a way to be started.
    let stdin = std::io::stdin();
    let starter = stdin.as_fd().try_clone_to_owned().ok().map(UnixStream::from)?;
    if !matches!(connection::is_own(&starter), Ok(true)) {
        return None;
    }
    Some(live(starter))
}

fn live(mut starter: UnixStream) -> ExitCode {
    let Ok(Some(start)) = frame::receive::<Start>(&mut starter, frame::MOST_GREETING) else {
        return ExitCode::FAILURE;
    };
    let begun = begin(&start);
    let started: Started = begun.as_ref().map(drop).map_err(ToString::to_string);
    let told = frame::send(&mut starter, &started);
    // From here on nobody hears of it any more.
    drop(starter);
    let (Ok((host, listener, woken, log, lock)), Ok(())) = (begun, told) else { return ExitCode::FAILURE };
    if let Err(error) = let_go(log.as_ref()) {
        crate::render::note(&format!("cannot leave the terminal: {error}"));
    }
    host.serve(&listener, &woken, start.idle);
    // The lock goes last: the next host waits for it.
    drop(lock);
    ExitCode::SUCCESS
}

type Begun = (std::sync::Arc<Host>, UnixListener, UnixStream, Option<File>, File);

fn begin(start: &Start) -> io::Result<Begun> {
    rustix::process::setsid()?;
    rustix::process::chdir("/")?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    close_inherited();
    let other = |error: skills::Error| io::Error::other(error.to_string());
    let path = PathBuf::from(&start.folder);
    let folder = Folder::made(&path).map_err(other)?;
    let until = Instant::now() + PATIENCE;
    let lock = loop {
        match folder.running()? {
            Some(lock) => break lock,
            None if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            None => return Err(io::Error::other("another host does not end")),
        }
    };
    let openings = Openings::new(Folder::made(&path).map_err(other)?);
    let listener = folder.listen()?;
    listener.set_nonblocking(true)?;
    let (host, woken) = Host::new(folder, openings)?;
    host.openings.follow(&host.hub)?;
    Ok((host, listener, woken, start.log.as_ref().and_then(open_log), lock))
}

/// Closes what a shell or another program left open for its children.
fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for number in open.into_iter().filter(|number| *number > 2) {
        // SAFETY: the number is one of an open file or of the folder that was just read, and is used for this call only.
        let file = unsafe { BorrowedFd::borrow_raw(number) };
        // What this program opened itself is closed with each start of another; what was inherited is not.
        if rustix::io::fcntl_getfd(file).is_ok_and(|flags| !flags.contains(rustix::io::FdFlags::CLOEXEC)) {
            // SAFETY: everything in this program is opened to be closed when another starts, so this is nobody's here.
            unsafe { rustix::io::close(number) };
        }
    }
}

/// Opens the log, which begins anew when it has grown.
fn open_log(path: &OsString) -> Option<File> {
    let path = PathBuf::from(path);
    std::fs::create_dir_all(path.parent()?).ok()?;
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).ok()?);
    if file.metadata().is_ok_and(|log| log.len() > MOST_LOGGED) {
        file.set_len(0).ok()?;
    }
    Some(file)
}

/// Reads nothing, and writes to the log only.
fn let_go(log: Option<&File>) -> io::Result<()> {
    let nothing = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    match log {
        Some(log) => rustix::stdio::dup2_stderr(log)?,
        None => rustix::stdio::dup2_stderr(&nothing)?,
    }
    Ok(())
}
