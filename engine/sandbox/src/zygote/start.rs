#![expect(clippy::disallowed_methods, reason = "the launcher starts the processes that confine others")]

use super::cgroup;
use super::child::Child;
use super::payload::Payload;
use super::wire::{self, Hello, Order, Setup};
use crate::entry::{ARGUMENT, PROBE};
use crate::{Cage, Executable};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use skills_core::{Enforcement, ErrorKind, Failure, Layer, LimitName};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a worker executable may take until it is ready: an interpreter starts in well under a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that has one kind of interpreter warm, and forks confined children.
#[derive(Debug)]
pub struct Zygote {
    control: Mutex<OwnedFd>,
    process: Mutex<std::process::Child>,
}

impl Zygote {
    /// Starts the zygote of a kind. `needs` are files and folders that all its children read.
    ///
    /// # Errors
    /// `unavailable` where the executable is none of a worker or where this machine cannot confine one; what the kind's own
    /// interpreter says where that cannot start.
    pub fn start(executable: &Executable, kind: &str, needs: &[PathBuf]) -> Result<Zygote, Failure> {
        let (control, process) = spawn(executable, kind)?;
        let zygote = Zygote { control: Mutex::new(control), process: Mutex::new(process) };
        zygote.greet(executable, needs)?;
        Ok(zygote)
    }

    /// What the layers are worth on this machine, tried by a process of the executable.
    ///
    /// # Errors
    /// `unavailable` where the executable is none of a worker.
    pub fn probe(executable: &Executable) -> Result<Vec<Layer>, Failure> {
        let hello = Zygote::probing(executable)?;
        let layer = |(name, status, detail): (crate::LayerName, Enforcement, String)| Layer {
            name: name.as_str(),
            status,
            detail,
        };
        let (status, detail) = cgroup::report();
        let groups = Layer { name: crate::LayerName::Cgroup.as_str(), status, detail };
        let inside = hello.layers.into_iter().map(layer).filter(|layer| layer.name != "cgroup");
        Ok(inside.chain([groups]).collect())
    }

    /// Whether limits of one process held that a process of the executable went beyond.
    ///
    /// # Errors
    /// As [`Zygote::probe`].
    pub(crate) fn try_limits(executable: &Executable) -> Result<Vec<(LimitName, bool, String)>, Failure> {
        Ok(Zygote::probing(executable)?.limits)
    }

    fn probing(executable: &Executable) -> Result<Hello, Failure> {
        let (control, process) = spawn(executable, PROBE)?;
        let zygote = Zygote { control: Mutex::new(control), process: Mutex::new(process) };
        zygote.hello(executable)
    }

    fn greet(&self, executable: &Executable, needs: &[PathBuf]) -> Result<(), Failure> {
        {
            let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
            // A worker that is gone already is found out by its silence.
            let _ = wire::send_order(control.as_fd(), &Setup { needs: needs.to_vec() }, &[]);
        }
        self.hello(executable)?.ready
    }

    fn hello(&self, executable: &Executable) -> Result<Hello, Failure> {
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if !readable(&control, PATIENCE) {
            return Err(no_worker(executable, "does not answer as one"));
        }
        match wire::receive_order::<Hello>(control.as_fd()) {
            Ok(Some((hello, _))) if hello.version == wire::VERSION => Ok(hello),
            Ok(Some(_)) => Err(no_worker(executable, "is of another version")),
            _ => Err(no_worker(executable, "ended instead of answering as one")),
        }
    }

    /// Forks a child, which has `fds` and is confined to `cage` before it does what `payload` says.
    ///
    /// # Errors
    /// `unavailable` where the machine cannot confine it, or has no room for it; `crashed` where the zygote has ended.
    pub fn fork(&self, cage: &Cage, payload: Payload, fds: Vec<OwnedFd>) -> Result<Child, Failure> {
        let (line, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| no_room(error.into()))?;
        let mut passed = vec![far.as_fd()];
        passed.extend(fds.iter().map(AsFd::as_fd));
        let (attended, family) = (matches!(payload, Payload::Exec(_)), matches!(payload, Payload::Family));
        {
            let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
            wire::send_order(control.as_fd(), &Order { cage: cage.clone(), payload }, &passed).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::InvalidInput => Failure::new(ErrorKind::InvalidArguments, error.to_string()),
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => ended(),
                    _ if error.get_ref().is_some() => {
                        Failure::new(ErrorKind::Internal, format!("a worker's order: {error}"))
                    }
                    _ => no_room(error),
                }
            })?;
        }
        drop(far);
        drop(fds);
        match family {
            // Each member is counted by itself.
            true => Child::accept(line, &Cage { cpu_percent: None, ..cage.clone() }, attended),
            false => Child::accept(line, cage, attended),
        }
    }

    /// Whether it still serves.
    pub fn alive(&self) -> bool {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(process.try_wait(), Ok(None))
    }

    /// The process that the host started, which lives as long as the zygote.
    pub fn id(&self) -> u32 {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).id()
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

fn spawn(executable: &Executable, kind: &str) -> Result<(OwnedFd, std::process::Child), Failure> {
    let (near, far) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(|error| no_room(error.into()))?;
    let process = Command::new(executable.path())
        .args([ARGUMENT, kind])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(far))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| no_worker(executable, &format!("cannot be started: {error}")))?;
    Ok((near, process))
}

/// Waits until there is something to read, or nobody left to write.
pub(super) fn readable(fd: &OwnedFd, patience: Duration) -> bool {
    let timeout = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    matches!(rustix::io::retry_on_intr(|| poll(&mut fds, Some(&timeout))), Ok(1..))
}

fn no_worker(executable: &Executable, what: &str) -> Failure {
    Failure::new(ErrorKind::Unavailable, format!("the worker executable {} {what}", executable.path().display())).with_help(
        "a worker executable calls `skills::worker_main()` first thing in its `main`, and is built from the same version as the \
         program that uses it",
    )
}

fn no_room(error: io::Error) -> Failure {
    Failure::new(ErrorKind::Unavailable, format!("a worker cannot be asked for: {error}"))
        .with_help("the program has too many files open: raise its limit (`ulimit -n`) or run fewer skills at once")
}

/// The failure where a zygote has ended.
pub(super) fn ended() -> Failure {
    Failure::new(ErrorKind::Crashed, "the process that makes workers has ended")
        .with_help("something outside killed it; the next run starts another")
}
