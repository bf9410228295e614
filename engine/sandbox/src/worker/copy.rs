//! A living session becomes two: by a fork of its process, whose pages are then shared until somebody writes to them.

use super::live::Living;
use crate::zygote::family::greet;
use crate::zygote::server::end;
use skills_core::{ErrorKind, Failure, Fork, watchdog};
use std::io;
use std::os::fd::OwnedFd;

/// Who goes on after a fork.
pub(super) enum Side {
    /// The process that was asked, and what came of it.
    Original(Result<(), Failure>),
    /// The new one.
    Copy,
}

impl Living<'_> {
    /// Makes a copy of the process, on the session's thread and while nothing is evaluated.
    pub(super) fn copy(&self) -> Side {
        let Some(steering) = &self.steering else { return refused("it cannot be told over what to talk") };
        let Some(handed) = steering.handed() else { return refused("it was not told over what to talk") };
        if !self.interpreter.forks_sessions() {
            return refused("its interpreter cannot be copied");
        }
        // A thread of a script would be missing in the copy, with whatever it holds locked for ever.
        if threads() > self.own_threads() {
            return refused("its code has threads of its own");
        }
        self.interpreter.forking(Fork::Before);
        let still = (steering.still(), watchdog::still());
        // SAFETY: what other threads could hold is held by this one, by the interpreter's own means, or by the C library's.
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            // The one in between ends at once, so that the copy is a child of the family's first process and outlives this one.
            // SAFETY: the process has one thread.
            match unsafe { libc::fork() } {
                0 => {}
                -1 => end(1),
                _ => end(0),
            }
            let (steering_still, watchdog_still) = still;
            drop(steering_still);
            watchdog_still.in_child();
            if self.settle(handed).is_err() {
                end(94);
            }
            return Side::Copy;
        }
        let error = io::Error::last_os_error();
        drop(still);
        self.interpreter.forking(Fork::InParent);
        if forked < 0 {
            return refused(&error.to_string());
        }
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        while unsafe { libc::waitpid(forked, &raw mut status, 0) } == -1
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
        if status == 0 { Side::Original(Ok(())) } else { refused("the copy could not be made") }
    }

    /// In the copy: goes on over what it was given.
    fn settle(&self, [socket, stdout, stderr, control]: [OwnedFd; 4]) -> io::Result<()> {
        let Some(steering) = &self.steering else { return Err(io::ErrorKind::NotFound.into()) };
        self.link.moved(&socket)?;
        rustix::stdio::dup2_stdout(&stdout)?;
        rustix::stdio::dup2_stderr(&stderr)?;
        self.interpreter.forking(Fork::InChild);
        steering.moved(&control)?;
        if greet(Some(steering.control())) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }

    /// How many threads there are at most that no script has started: those from before, the one that listens, the watchdog.
    fn own_threads(&self) -> u64 {
        let (before, watched) = self.before;
        before + 1 + u64::from(watchdog::armed() && !watched)
    }
}

fn refused(why: &str) -> Side {
    Side::Original(Err(Failure::new(ErrorKind::Unavailable, format!("the session cannot be copied: {why}"))))
}

/// The threads of this process.
pub(super) fn threads() -> u64 {
    rustix::fs::stat("/proc/self/task").map_or(u64::MAX, |folder| folder.st_nlink.saturating_sub(2))
}
