//! The first process of a family: it starts the first member, lets members be copied when the host wants that, and says how each
//! one ended.

use crate::layers::{Calls, answer_fork};
use crate::zygote::kernel::Kernel;
use crate::zygote::server::end;
use crate::zygote::wire::{self, Exit, Report};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
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
    /// So many forks are let through from now on.
    Allow {
        /// How many.
        forks: u32,
    },
}

/// Ends of processes that the host has not asked for yet.
const MOST_GONE: usize = 64;

struct First {
    orders: OwnedFd,
    /// Where members ask for a copy of themselves.
    listener: Option<OwnedFd>,
    forks: u32,
    /// Whether a copy is being made, which is no member yet.
    copying: bool,
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
                forks: 0,
                copying: false,
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
            Ok(Some((FamilyOrder::Allow { forks }, _))) => {
                (self.forks, self.copying) = (forks, forks > 0);
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
        let forks = &mut self.forks;
        let answered = answer_fork(listener, || {
            let may = *forks > 0;
            *forks = forks.saturating_sub(1);
            may
        });
        if answered.is_err() || asked.contains(PollFlags::HUP) {
            self.listener = None;
        }
    }

    /// Ends what members have left behind that is no member: copies that were let through and came to nothing.
    fn sweep(&self) {
        if self.copying {
            return;
        }
        let mut text = [0; 4096];
        let read = rustix::fs::open("/proc/self/task/1/children", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .and_then(|file| rustix::io::read(&file, &mut text))
            .unwrap_or(0);
        let children = String::from_utf8_lossy(&text[..read]);
        for child in children.split_ascii_whitespace().filter_map(|id| id.parse::<i32>().ok()) {
            if !self.members.iter().any(|(member, _)| *member == child)
                && let Some(child) = Pid::from_raw(child)
            {
                let _ = kill_process(child, Signal::KILL);
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

/// Whoever has dropped its end of the line does not want to know.
fn tell(line: &OwnedFd, exit: Exit) {
    let _ = wire::send_report(line.as_fd(), &Report::Ended(exit), &[]);
}

/// A descriptor that is readable when a child has ended.
fn children_as_descriptor() -> Option<OwnedFd> {
    // SAFETY: the set is made before it is used, and the descriptor is nobody else's.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        (fd >= 0).then(|| OwnedFd::from_raw_fd(fd))
    }
}
