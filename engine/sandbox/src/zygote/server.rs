//! The zygote's own side: a single thread that forks when it is told to, and says how its children ended.

#![expect(clippy::disallowed_methods, reason = "the zygote looks at its own process")]

use super::payload::Payload;
use super::wire::{self, Exit, Hello, Order, Report, Setup};
use crate::Kernel;
use crate::entry::{COMMAND, PROBE};
use crate::layers::{self, Base, Confined};
use crate::program::init::start_program;
use crate::{Cage, Programs};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use skills_core::{ErrorKind, Failure};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Ends the process at once: a fork must not run what its parent registered for its own end.
pub(crate) fn end(code: i32) -> ! {
    // SAFETY: `_exit` takes no memory of ours.
    unsafe { libc::_exit(code) }
}

/// Becomes the zygote of a kind. The control socket is the standard input.
pub(crate) fn start(kind: &str, kernel: Option<Box<dyn Kernel>>) -> ! {
    let Ok(control) = take_control() else { end(70) };
    if kind == PROBE {
        let (layers, limits) = layers::probe_in_child();
        let hello = Hello { version: wire::VERSION, ready: Ok(()), layers, limits };
        end(i32::from(wire::send_order(control.as_fd(), &hello, &[]).is_err()));
    }
    let kernel = match kernel {
        Some(kernel) => Ok(kernel),
        None if kind == COMMAND => Ok(Box::new(NoKernel) as Box<dyn Kernel>),
        None => Err(Failure::new(ErrorKind::Unavailable, format!("the worker executable has no {kind}"))
            .with_help("build the worker with the same features as the program that uses it")),
    };
    let entered = layers::enter();
    // The first child of a process that asked for a process namespace is the first process of it.
    // SAFETY: the process has one thread.
    match unsafe { libc::fork() } {
        0 => {
            let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
            run(control, entered, kernel)
        }
        -1 => end(71),
        child => {
            drop(control);
            keep(child)
        }
    }
}

/// Keeps the process that left the host's namespaces until the zygote in them has ended, so that the host's child is one that
/// the host can see and wait for.
fn keep(child: libc::pid_t) -> ! {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } == -1
        && Errno::from_io_error(&io::Error::last_os_error()) == Some(Errno::INTR)
    {}
    end(0)
}

/// Moves the control socket away from the standard input, and closes whatever else the host left open.
fn take_control() -> io::Result<OwnedFd> {
    let control = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    // SAFETY: nothing of this process but the control socket is above the standard three yet, and that is kept.
    unsafe {
        let kept = control.as_raw_fd() as libc::c_uint;
        if kept > 3 {
            libc::syscall(libc::SYS_close_range, 3, kept - 1, 0);
        }
        libc::syscall(libc::SYS_close_range, kept + 1, libc::c_uint::MAX, 0);
    }
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    // A key pressed in the host's terminal is for the host.
    let _ = rustix::process::setsid();
    Ok(control)
}

fn run(control: OwnedFd, entered: Result<(), layers::Fault>, kernel: Result<Box<dyn Kernel>, Failure>) -> ! {
    let Ok(Some((setup, _))) = wire::receive_order::<Setup>(control.as_fd()) else { end(72) };
    let zygote = kernel.and_then(|kernel| {
        entered?;
        Zygote::prepare(kernel, setup.needs)
    });
    let (ready, zygote) = match zygote {
        Ok(zygote) => (Ok(()), Some(zygote)),
        Err(failure) => (Err(failure), None),
    };
    let hello = Hello { version: wire::VERSION, ready, layers: Vec::new(), limits: Vec::new() };
    if wire::send_order(control.as_fd(), &hello, &[]).is_err() {
        end(73);
    }
    match zygote {
        Some(zygote) => zygote.serve(control),
        None => end(74),
    }
}

/// The kernel of programs: nothing is warm, and a child becomes its program. One that has none waits until it is ended.
struct NoKernel;

impl Kernel for NoKernel {
    fn warm(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn needs(&self) -> Vec<PathBuf> {
        // `skill` is this executable, and needs what this needs.
        mapped_files()
    }

    fn serve(&mut self, _descriptors: Vec<OwnedFd>) -> ! {
        loop {
            // SAFETY: waits for a signal.
            unsafe { libc::pause() };
        }
    }
}

struct Zygote {
    kernel: Box<dyn Kernel>,
    base: Base,
    /// What every child needs of folders that are private to each: shown to each anew.
    needs: Vec<PathBuf>,
    /// The worker executable, which is `skill` as well.
    executable: Option<PathBuf>,
    /// The process namespace of the zygote itself: asking for one for a child changes what the next child gets.
    own_pids: OwnedFd,
    children: Vec<Forked>,
}

/// Folders that each child has of its own.
const PRIVATE: [&str; 5] = ["/tmp", "/run", "/dev/shm", "/var/tmp", "/var/run"];

struct Forked {
    pid: Pid,
    pidfd: OwnedFd,
    line: OwnedFd,
}

impl Zygote {
    fn prepare(mut kernel: Box<dyn Kernel>, mut needs: Vec<PathBuf>) -> Result<Zygote, Failure> {
        kernel.warm()?;
        single_threaded()?;
        needs.extend(kernel.needs());
        let own_pids = rustix::fs::open(
            "/proc/self/ns/pid",
            rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .map_err(|error| internal(format!("a zygote cannot open its own namespace: {error}")))?;
        let executable = std::fs::read_link("/proc/self/exe").ok();
        let private = |path: &PathBuf| PRIVATE.iter().any(|folder| path.starts_with(folder));
        let (needs, shared) = needs.into_iter().partition::<Vec<_>, _>(private);
        let base = Base::prepare(&shared)?;
        Ok(Zygote { kernel, base, needs, executable, own_pids, children: Vec::new() })
    }

    /// Forks on orders until the host is gone. The zygote is the first process of its namespace, so its end is that of all.
    fn serve(mut self, control: OwnedFd) -> ! {
        loop {
            let ready = {
                let mut fds: Vec<PollFd<'_>> = vec![PollFd::new(&control, PollFlags::IN)];
                fds.extend(self.children.iter().map(|child| PollFd::new(&child.pidfd, PollFlags::IN)));
                match poll(&mut fds, None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(_) => end(75),
                }
                fds.iter().map(|fd| !fd.revents().is_empty()).collect::<Vec<_>>()
            };
            for index in (0..self.children.len()).rev() {
                if ready[index + 1] {
                    self.reap(index);
                }
            }
            if ready[0] {
                match wire::receive_order::<Order>(control.as_fd()) {
                    Ok(Some((order, fds))) => self.fork(&control, order, fds),
                    Ok(None) | Err(_) => end(0),
                }
            }
        }
    }

    fn reap(&mut self, index: usize) {
        let mut status = 0;
        // SAFETY: a zeroed rusage is one, and both outlive the call.
        let (reaped, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(self.children[index].pid.as_raw_pid(), &raw mut status, libc::WNOHANG, &raw mut usage), usage)
        };
        if reaped == 0 {
            return;
        }
        let child = self.children.swap_remove(index);
        let exit = Exit::of(status, &usage);
        // Whoever has dropped its end of the line does not want to know.
        let _ = wire::send_report(child.line.as_fd(), &Report::Ended(exit), &[]);
    }

    fn fork(&mut self, control: &OwnedFd, order: Order, mut fds: Vec<OwnedFd>) {
        if fds.is_empty() {
            return;
        }
        let line = fds.remove(0);
        // SAFETY: no memory is passed.
        if unsafe { libc::unshare(libc::CLONE_NEWPID) } == -1 {
            return refuse(&line, format!("a process namespace: {}", io::Error::last_os_error()));
        }
        self.kernel.before_fork();
        // SAFETY: the process has one thread.
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            self.kernel.after_fork_in_child();
            // SAFETY: the child never uses the control socket again, and `control` is not dropped in it: it ends by `_exit`.
            unsafe { libc::close(control.as_raw_fd()) };
            self.children.clear();
            self.become_child(order, line, fds)
        }
        let error = io::Error::last_os_error();
        self.kernel.after_fork_in_parent();
        // SAFETY: no memory is passed.
        if unsafe { libc::setns(self.own_pids.as_raw_fd(), libc::CLONE_NEWPID) } == -1 {
            end(76);
        }
        let Some(pid) = Pid::from_raw(forked).filter(|_| forked > 0) else {
            return refuse(&line, format!("a process: {error}"));
        };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => {
                let _ = wire::send_report(line.as_fd(), &Report::Forked, &[pidfd.as_fd()]);
                self.children.push(Forked { pid, pidfd, line });
            }
            Err(error) => {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
                let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
                refuse(&line, format!("a process descriptor: {error}"));
            }
        }
    }

    /// What a fork does: it waits until it is counted, and then serves, or starts a program and attends to it.
    fn become_child(&mut self, order: Order, line: OwnedFd, fds: Vec<OwnedFd>) -> ! {
        if !await_go(&line) {
            end(78);
        }
        let Order { mut cage, payload } = order;
        cage.needs.append(&mut self.needs);
        match payload {
            Payload::Serve => {
                drop(self.confine(&cage, line, &fds));
                self.kernel.serve(fds)
            }
            Payload::Family => {
                let calls = self.confining(line, &fds, |base, keep| Ok((base.confine_family(&cage, keep)?, None)));
                super::family::inside::start(&mut *self.kernel, &calls, fds)
            }
            Payload::Exec(exec) => {
                // This process is not one of the program's own.
                cage.processes = cage.processes.map(|most| most.saturating_add(1));
                let helper = self.executable.take().filter(|_| exec.helper);
                if let Some(helper) = &helper {
                    allow(&mut cage.programs, helper);
                }
                let confined = self.confine(&cage, line, &fds);
                start_program(exec, &confined, helper.as_deref(), fds)
            }
        }
    }

    /// Confines this process and says so, or ends it. The line is closed in it for good.
    fn confine(&self, cage: &Cage, line: OwnedFd, fds: &[OwnedFd]) -> Confined {
        self.confining(line, fds, |base, keep| {
            let mut confined = base.confine(cage, keep)?;
            let proxy = confined.proxy.take();
            Ok((confined, proxy))
        })
    }

    fn confining<T>(
        &self,
        line: OwnedFd,
        fds: &[OwnedFd],
        confine: impl FnOnce(&Base, &[BorrowedFd<'_>]) -> Result<(T, Option<TcpListener>), layers::Fault>,
    ) -> T {
        let mut keep = wire::borrow(fds);
        keep.push(line.as_fd());
        let (confined, proxy) = match confine(&self.base, &keep) {
            Ok(confined) => confined,
            Err(fault) => {
                let _ = wire::send_report(line.as_fd(), &Report::Refused(fault.into()), &[]);
                end(77)
            }
        };
        let beside: Vec<BorrowedFd<'_>> = proxy.iter().map(AsFd::as_fd).collect();
        if wire::send_report(line.as_fd(), &Report::Confined, &beside).is_err() {
            end(78);
        }
        confined
    }
}

/// Lets one more program be started.
fn allow(programs: &mut Programs, more: &Path) {
    let more = more.to_string_lossy().into_owned();
    match programs {
        Programs::All => {}
        Programs::Only(names) => names.push(more),
        Programs::None => *programs = Programs::Only(vec![more]),
    }
}

/// The files that this process runs from: its executable and its libraries.
fn mapped_files() -> Vec<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let path = |line: &str| line.find(" /").map(|at| PathBuf::from(&line[at + 1..]));
    let system = |path: &PathBuf| ["/usr/", "/lib/", "/lib64/", "/dev/"].iter().any(|folder| path.starts_with(folder));
    let mut files: Vec<PathBuf> =
        maps.lines().filter_map(path).filter(|path| path.is_file() && !system(path)).collect();
    files.dedup();
    files
}

/// Waits until the host has put the child where it is to be counted.
fn await_go(line: &OwnedFd) -> bool {
    let mut byte = [0; 1];
    matches!(rustix::io::retry_on_intr(|| rustix::io::read(line, &mut byte)), Ok(1))
}

fn refuse(line: &OwnedFd, what: String) {
    let failure = Failure::new(ErrorKind::Unavailable, format!("a worker cannot be made: {what}"))
        .with_help("the machine has no room for another process: end some, or raise the user's limit on processes");
    let _ = wire::send_report(line.as_fd(), &Report::Refused(failure), &[]);
}

/// A fork of a process with several threads has locks that nobody opens any more.
fn single_threaded() -> Result<(), Failure> {
    let threads = rustix::fs::stat("/proc/self/task").map_or(0, |folder| folder.st_nlink.saturating_sub(2));
    match threads {
        0 | 1 => Ok(()),
        n => Err(internal(format!("a zygote has {n} threads once it is warm"))),
    }
}

fn internal(message: String) -> Failure {
    Failure::new(ErrorKind::Internal, message)
}
