//! The first process of a family: it starts the first member, lets members be copied when the host wants that, and says how each
//! one ended.

use crate::Kernel;
use crate::layers::{Calls, Question, answer};
use crate::zygote::server::end;
use crate::zygote::wire::{self, Exit, Report};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Dir, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

/// What the host tells it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FamilyOrder {
    /// How a process ends is to be said over the line beside this.
    Adopt {
        /// Its number in the family's namespace.
        process: i32,
    },
    /// A member is to be copied: a fork of it is let through, and one of what comes of that.
    Copy {
        /// Its number in the family's namespace.
        process: i32,
    },
    /// The copy has been made, or is not going to be: nothing more is let through.
    Copied,
}

/// Ends of processes that the host has not asked for yet.
const MOST_GONE: usize = 64;

/// A copy that is being made.
struct Copying {
    member: i32,
    /// How many forks are still to come: that of the member, and that of what stands in between.
    forks: u32,
}

struct First {
    orders: OwnedFd,
    /// Where members ask for a copy of themselves.
    listener: Option<OwnedFd>,
    /// What is being copied: its copy is no member yet.
    copying: Option<Copying>,
    members: Vec<(i32, OwnedFd)>,
    gone: VecDeque<(i32, Exit)>,
}

/// Starts the first member, which serves with all of `fds` but the last: over that come the host's orders.
pub(in crate::zygote) fn start(kernel: &mut dyn Kernel, calls: &Calls, mut fds: Vec<OwnedFd>) -> ! {
    let (Some(orders), Ok((near, far))) =
        (fds.pop(), socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None))
    else {
        end(86)
    };
    // Neither may look into the other's memory.
    // SAFETY: no memory is passed. Each fork has it from here.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    kernel.before_fork();
    // SAFETY: the process has one thread.
    match unsafe { libc::fork() } {
        0 => {
            kernel.after_fork_in_child();
            drop((near, orders));
            let Ok(listener) = calls.of_member() else { end(87) };
            let told = match &listener {
                Some(listener) => wire::send_visit(far.as_fd(), listener.as_fd()).is_ok(),
                None => rustix::io::write(&far, &[0]).is_ok(),
            };
            drop((far, listener));
            if !told || !greet(fds.get(3)) {
                end(88);
            }
            kernel.serve(fds)
        }
        -1 => end(89),
        _ => {
            kernel.after_fork_in_parent();
            drop((far, fds));
            let Ok(Some(listener)) = wire::receive_visit(near.as_fd()) else { end(90) };
            drop(near);
            let first = First {
                orders,
                listener: listener.into_iter().next(),
                copying: None,
                members: Vec::new(),
                gone: VecDeque::new(),
            };
            match calls.of_first() {
                Ok(()) => first.serve(),
                Err(_) => end(91),
            }
        }
    }
}

/// Says to the host that a member is there: the kernel tells it which process it is that says so.
pub(crate) fn greet(control: Option<&OwnedFd>) -> bool {
    control.is_some_and(|control| rustix::io::write(control, &[1]).is_ok())
}

impl First {
    fn serve(mut self) -> ! {
        let Some(signals) = children_as_descriptor() else { end(92) };
        loop {
            self.reap();
            let ready = {
                let mut fds = vec![PollFd::new(&self.orders, PollFlags::IN), PollFd::new(&signals, PollFlags::IN)];
                fds.extend(self.listener.iter().map(|listener| PollFd::new(listener, PollFlags::IN)));
                match poll(&mut fds, None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(_) => end(93),
                }
                fds.iter().map(PollFd::revents).collect::<Vec<_>>()
            };
            if !ready[1].is_empty() {
                let _ = rustix::io::read(&signals, &mut [0; 1024]);
            }
            if !ready[0].is_empty() {
                self.obey();
            }
            if let Some(asked) = ready.get(2).filter(|asked| !asked.is_empty()) {
                // What the host has ordered by then comes first: several orders may wait, and the last of them lets this through.
                while self.is_ordered() {
                    self.obey();
                }
                self.answer(*asked);
            }
        }
    }

    /// Whether an order waits.
    fn is_ordered(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(&self.orders, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
    }

    fn obey(&mut self) {
        match wire::receive_order::<FamilyOrder>(self.orders.as_fd()) {
            Ok(Some((FamilyOrder::Copy { process }, _))) => {
                self.copying = Some(Copying { member: process, forks: 2 });
            }
            Ok(Some((FamilyOrder::Copied, _))) => {
                self.copying = None;
                self.sweep();
            }
            Ok(Some((FamilyOrder::Adopt { process }, fds))) => {
                let Some(line) = fds.into_iter().next() else { return };
                match self.gone.iter().position(|(gone, _)| *gone == process) {
                    Some(at) => {
                        let exit = self.gone.remove(at);
                        exit.iter().for_each(|(_, exit)| tell(&line, *exit));
                    }
                    None => self.members.push((process, line)),
                }
            }
            // Without a host there is no family.
            Ok(None) | Err(_) => end(0),
        }
    }

    fn answer(&mut self, asked: PollFlags) {
        let Some(listener) = &self.listener else { return };
        let copying = self.copying.as_mut();
        let answered = answer(listener, |question| match question {
            // It may do to itself what it likes.
            Question::Reach { asker, target } => {
                target == asker || process_of(asker).is_some_and(|own| own.id == target)
            }
            Question::Fork { asker } => copying.is_some_and(|copying| copying.lets(asker)),
        });
        if answered.is_err() || asked.contains(PollFlags::HUP) {
            self.listener = None;
        }
    }

    /// Ends what members have left behind that is no member: what came of copies that were let through.
    fn sweep(&self) {
        if self.copying.is_some() {
            return;
        }
        let Ok(all) = rustix::fs::open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .and_then(Dir::read_from)
        else {
            return;
        };
        let numbers = all.flatten().filter_map(|entry| entry.file_name().to_str().ok()?.parse::<i32>().ok());
        for other in numbers.filter(|id| *id != 1 && !self.members.iter().any(|(member, _)| member == id)) {
            if let Some(other) = Pid::from_raw(other) {
                let _ = kill_process(other, Signal::KILL);
            }
        }
    }

    /// Says of each process that has ended how it did.
    fn reap(&mut self) {
        let mut lost = false;
        loop {
            let mut status = 0;
            // SAFETY: a zeroed rusage is one, and both outlive the call.
            let (process, usage) = unsafe {
                let mut usage: libc::rusage = std::mem::zeroed();
                (libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage), usage)
            };
            if process <= 0 {
                if lost {
                    self.sweep();
                }
                return;
            }
            let exit = Exit::of(status, &usage);
            match self.members.iter().position(|(member, _)| *member == process) {
                Some(at) => {
                    lost = true;
                    tell(&self.members.swap_remove(at).1, exit);
                }
                None => {
                    self.gone.push_back((process, exit));
                    if self.gone.len() > MOST_GONE {
                        self.gone.pop_front();
                    }
                }
            }
        }
    }
}

impl Copying {
    /// Whether a thread may fork: one of the member's, and then what came of that.
    fn lets(&mut self, asker: i32) -> bool {
        let Some(process) = process_of(asker) else { return false };
        let whose = if self.forks == 2 { process.id } else { process.parent };
        let may = self.forks > 0 && whose == self.member;
        self.forks -= u32::from(may);
        may
    }
}

/// The process of a thread, and its parent.
struct Process {
    id: i32,
    parent: i32,
}

/// What a thread is one of. It waits for an answer, so its number is nobody else's.
fn process_of(thread: i32) -> Option<Process> {
    let mut text = [0; 1024];
    let file = format!("/proc/{thread}/status");
    let file = rustix::fs::open(file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let read = rustix::io::read(file, &mut text).ok()?;
    let text = String::from_utf8_lossy(&text[..read]);
    let of = |name| text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok();
    Some(Process { id: of("Tgid:")?, parent: of("PPid:")? })
}

/// Whoever has dropped its end of the line does not want to know.
fn tell(line: &OwnedFd, exit: Exit) {
    let _ = wire::send_report(line.as_fd(), &Report::Ended(exit), &[]);
}

/// A descriptor that is readable when a child has ended.
fn children_as_descriptor() -> Option<OwnedFd> {
    // SAFETY: what is zeroed is a set and an action, both are made before they are used, and the descriptor is nobody else's.
    unsafe {
        // That one is stopped and goes on is the host's doing.
        let mut ends: libc::sigaction = std::mem::zeroed();
        ends.sa_flags = libc::SA_NOCLDSTOP;
        libc::sigaction(libc::SIGCHLD, &raw const ends, std::ptr::null_mut());
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        (fd >= 0).then(|| OwnedFd::from_raw_fd(fd))
    }
}
