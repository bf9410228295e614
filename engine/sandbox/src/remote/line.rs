//! The host's end of a worker: its socket, what it writes to its streams by itself, and how long it is waited for.

use super::control::Control;
use super::process::Process;
use crate::frame::{Assembler, Malformed};
use crate::text::Decoder;
use crate::zygote::Watch;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use skills_core::{Budget, ErrorKind, Host, Interrupt, LimitName, Spin, Stream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a worker that has been told to stop by its own clock may take to say so, before it is ended.
const GRACE: Duration = Duration::from_millis(4);

/// The same where what it may do is used up, other than its time and memory: it counts that itself, and stops, as soon as it
/// gets to run. On a busy machine that takes a while, and what it says then is where the script was.
const COUNTED_GRACE: Duration = Duration::from_millis(500);

/// The same where it has a living namespace, which is worth a wait.
const LIVING_GRACE: Duration = Duration::from_secs(1);

/// Why nothing more comes from a worker.
#[derive(Debug)]
pub(crate) enum Silence {
    /// It has closed its socket, or ended.
    Gone,
    /// The run had to stop, and did not by itself.
    Overdue,
    /// What it sent makes no sense.
    Malformed(Malformed),
}

/// The host's descriptors of one worker.
#[derive(Debug)]
pub(crate) struct Line {
    socket: OwnedFd,
    outputs: [Output; 2],
    wake: Arc<Wake>,
    inbox: Assembler,
    spin: Arc<Spin>,
}

/// What the worker's process, and whatever it starts, writes to one of its standard streams.
#[derive(Debug)]
struct Output {
    stream: Stream,
    pipe: Option<OwnedFd>,
    decoder: Decoder,
}

/// Wakes a thread that waits for a worker: the run has been told to stop.
#[derive(Debug)]
pub(crate) struct Wake(OwnedFd);

impl Interrupt for Wake {
    fn interrupt(&self) {
        // Full is as good as one more.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

/// How long a run may still go on.
pub(crate) struct Patience<'a> {
    budget: &'a Budget,
    until: Option<Instant>,
    /// What is watched more closely from a moment on.
    watched: Option<(Instant, &'a Process, Watch)>,
    /// Where a request to a living namespace is told to stop.
    told: Option<(Option<&'a Control>, u64)>,
}

impl Patience<'_> {
    /// As long as the budget allows, and a little longer.
    pub(crate) fn of(budget: &Budget) -> Patience<'_> {
        Patience { budget, until: None, watched: None, told: None }
    }

    /// Has the memory and the processes of a process looked at, unless the run is over before that makes a difference.
    pub(crate) fn watching<'a>(self, child: &'a Process, watch: Watch) -> Patience<'a>
    where
        Self: 'a,
    {
        /// In this time a process can take no more memory than what a limit has for slack.
        const SOON: Duration = Duration::from_millis(1);
        Patience { watched: Some((Instant::now() + SOON, child, watch)), ..self }
    }

    /// Has a request told to stop when its time is up or when it was cancelled, and waits for it to do so.
    pub(crate) fn telling<'a>(self, control: Option<&'a Control>, run: u64) -> Patience<'a>
    where
        Self: 'a,
    {
        Patience { told: Some((control, run)), ..self }
    }

    /// Whether the watch has begun.
    pub(crate) fn watches(&self) -> bool {
        self.watched.is_none()
    }

    /// What is left of it; `None` for no end.
    fn left(&mut self) -> Result<Option<Duration>, Silence> {
        if self.until.is_none() && self.budget.check_time().is_err() {
            let verdict = self.budget.verdict();
            let cancelled = verdict.is_some_and(|verdict| verdict.kind == ErrorKind::Cancelled);
            let counted = verdict.and_then(|verdict| verdict.limit.as_ref()).is_some_and(|breach| {
                matches!(breach.name, LimitName::Output | LimitName::Operations | LimitName::HostCalls)
            });
            let grace = match self.told {
                Some((Some(control), run)) => {
                    control.stop(run);
                    LIVING_GRACE
                }
                // Its own clock stops it.
                Some((None, _)) if !cancelled => LIVING_GRACE,
                _ if cancelled => Duration::ZERO,
                _ if counted => COUNTED_GRACE,
                _ => GRACE,
            };
            self.until = Some(Instant::now() + grace);
        }
        let now = Instant::now();
        let mut soon = None;
        if let Some((at, child, watch)) = self.watched.take() {
            if at <= now {
                child.watch(watch);
            } else {
                soon = Some(at.saturating_duration_since(now));
                self.watched = Some((at, child, watch));
            }
        }
        let left = self.end(now)?;
        Ok(left.min(soon).or(left).or(soon))
    }

    fn end(&self, now: Instant) -> Result<Option<Duration>, Silence> {
        match self.until {
            Some(until) if until <= now => Err(Silence::Overdue),
            Some(until) => Ok(Some(until.saturating_duration_since(now))),
            None => Ok(self.budget.remaining()),
        }
    }
}

impl Line {
    /// Both ends of a line: the host's, and the worker's socket, standard output and standard error.
    pub(crate) fn make() -> Result<(Line, Vec<OwnedFd>), Errno> {
        let (socket, far) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let (stdout, out) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stderr, err) = pipe_with(PipeFlags::CLOEXEC)?;
        Ok((Line::new(socket, stdout, stderr)?, vec![far, out, err]))
    }

    /// The host's end of streams that there are: a socket for frames, and what is written past them.
    pub(super) fn new(socket: OwnedFd, stdout: OwnedFd, stderr: OwnedFd) -> Result<Line, Errno> {
        for fd in [&socket, &stdout, &stderr] {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        let wake =
            rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC | rustix::event::EventfdFlags::NONBLOCK)?;
        let output = |stream, pipe| Output { stream, pipe: Some(pipe), decoder: Decoder::default() };
        let outputs = [output(Stream::Stdout, stdout), output(Stream::Stderr, stderr)];
        Ok(Line { socket, outputs, wake: Arc::new(Wake(wake)), inbox: Assembler::new(), spin: Arc::default() })
    }

    /// What interrupts a wait.
    pub(crate) fn wake(&self) -> Arc<Wake> {
        Arc::clone(&self.wake)
    }

    /// Sends a whole frame.
    pub(crate) fn send(&mut self, frame: &[u8], patience: &mut Patience<'_>, host: &dyn Host) -> Result<(), Silence> {
        let mut rest = frame;
        while !rest.is_empty() {
            match send(&self.socket, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(sent) => rest = &rest[sent..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT, patience, host)?,
                Err(_) => return Err(Silence::Gone),
            }
        }
        Ok(())
    }

    /// The next frame, as `read` understands it; `most` says how long one of a kind may be.
    pub(crate) fn receive<T>(
        &mut self,
        most: impl Fn(u8) -> usize,
        patience: &mut Patience<'_>,
        host: &dyn Host,
        read: impl Fn(&[u8]) -> Result<T, Malformed>,
    ) -> Result<T, Silence> {
        let spin = Arc::clone(&self.spin);
        let mut waits = None;
        loop {
            if let Some(frame) = self.inbox.next(&most).map_err(Silence::Malformed)? {
                return read(frame).map_err(Silence::Malformed);
            }
            match recv(&self.socket, self.inbox.space(), RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Err(Silence::Gone),
                Ok((count, _)) => self.inbox.filled(count),
                Err(Errno::AGAIN) if waits.get_or_insert_with(|| spin.wait()).looks() => {}
                Err(Errno::AGAIN) => self.wait(PollFlags::IN, patience, host)?,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Silence::Gone),
            }
        }
    }

    /// Whether a message came that nobody has asked for.
    pub(crate) fn has_unread(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Waits until the socket is ready. Takes what is written to the streams meanwhile.
    fn wait(&mut self, ready: PollFlags, patience: &mut Patience<'_>, host: &dyn Host) -> Result<(), Silence> {
        loop {
            let timeout = patience.left()?.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = Vec::with_capacity(4);
            fds.push(PollFd::new(&self.socket, ready));
            fds.push(PollFd::new(&self.wake.0, PollFlags::IN));
            fds.extend(self.outputs.iter().flat_map(|o| &o.pipe).map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return Err(Silence::Gone),
            }
            let socket = !fds[0].revents().is_empty();
            let woken = !fds[1].revents().is_empty();
            let written = fds[2..].iter().any(|fd| !fd.revents().is_empty());
            drop(fds);
            if woken {
                let mut count = [0; 8];
                let _ = rustix::io::read(&self.wake.0, &mut count);
            }
            if written {
                self.outputs.iter_mut().for_each(|output| output.take(host));
            }
            if socket {
                return Ok(());
            }
        }
    }

    /// Takes what was written to the streams and has not been taken yet.
    pub(crate) fn drain(&mut self, host: &dyn Host) {
        self.outputs.iter_mut().for_each(|output| {
            output.take(host);
            output.end(host);
        });
    }
}

impl Output {
    /// Takes what is there, as far as it may be.
    fn take(&mut self, host: &dyn Host) {
        /// A writer that never stops must not keep the host from its other duties.
        const MOST: usize = 16;
        let mut buffer = [0; 16 << 10];
        for _ in 0..MOST {
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.print(&buffer[..count], host),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    /// Hands text on; a character that is not complete waits for its rest.
    fn print(&mut self, bytes: &[u8], host: &dyn Host) {
        // Where it is too much, the budget knows, and the run ends.
        drop(host.print(self.stream, &self.decoder.decode(bytes)));
    }

    fn end(&mut self, host: &dyn Host) {
        let text = self.decoder.finish();
        if !text.is_empty() {
            drop(host.print(self.stream, &text));
        }
    }
}
