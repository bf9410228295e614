//! A program that stays: what is written to it and what it writes, moved by the thread that waits for an answer.

use super::helper::Desk;
use super::init::Word;
use super::launcher::{cage, exec, judge};
use super::{refusals, streams};
use crate::entry::COMMAND;
use crate::text::Decoder;
use crate::zygote::{Child, Killer, Payload, Reason, Watch, Zygotes};
use crate::{Cage, proxy};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use skills_core::{End, Failure, Heard, Held, Host, Interrupt, Listener, Program, Staying};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a program that was interrupted may go on before it is ended.
const GRACE: Duration = Duration::from_secs(2);
/// How far apart two interruptions are.
const AGAIN: Duration = Duration::from_millis(100);
/// How often a talk looks whether it is to stop, and how long a program says nothing until it is quiet.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 25_000_000 };
/// The most that is read of a stream after the answer: more than a pipe holds, for others may go on writing.
const MOST_AFTER: usize = 128 << 10;
/// How many descriptors of its own a talk looks at.
const OWN: usize = 5;

/// A program that lives.
pub(super) struct Alive {
    child: Child,
    executable: PathBuf,
    cage: Cage,
    _proxy: Option<proxy::Guard>,
    desk: Option<Desk>,
    input: OwnedFd,
    /// The program's end as well: while somebody could read, writing raises no signal in the host program.
    _reader: OwnedFd,
    outputs: [(Option<OwnedFd>, Decoder); 2],
    says: Option<OwnedFd>,
    ends: Option<OwnedFd>,
    word: Vec<u8>,
    alive: bool,
}

/// Interrupts the program, and ends it where that does not help.
struct Stop {
    killer: Killer,
    /// When it was told first and last.
    told: Mutex<Option<(Instant, Instant)>>,
}

impl Interrupt for Stop {
    fn interrupt(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *told {
            Some((first, _)) if now.duration_since(first) > GRACE => return self.killer.kill(Reason::Deadline),
            Some((_, last)) if now.duration_since(last) < AGAIN => return,
            Some((first, _)) => *told = Some((first, now)),
            None => *told = Some((now, now)),
        }
        self.killer.interrupt();
    }
}

impl Alive {
    pub(super) fn start(zygotes: &Arc<Zygotes>, program: &Program, host: &Arc<dyn Host>) -> Result<Alive, Failure> {
        host.budget().check_time()?;
        refusals::check(&program.executable)?;
        let cage = cage(program, host);
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|error| streams::no_pipe(&error.into()));
        let (read_in, input) = pipe()?;
        let (stdout, write_out) = pipe()?;
        let (stderr, write_err) = pipe()?;
        let (ends, write_ends) = pipe()?;
        let mut fds = vec![read_in, write_out, write_err, write_ends];
        let mut says = None;
        if program.says {
            let (own, far) = pipe()?;
            says = Some(own);
            fds.push(far);
        }
        for own in [&input, &stdout, &stderr, &ends].into_iter().chain(&says) {
            rustix::io::ioctl_fionbio(own, true).map_err(|error| streams::no_pipe(&error.into()))?;
        }
        let reader = fds[0].try_clone().map_err(|error| streams::no_pipe(&error))?;
        let mut desk = None;
        if program.helper {
            let (own, door) = Desk::open().map_err(|error| streams::no_pipe(&error))?;
            desk = Some(own);
            fds.push(door);
        }
        let mut child = zygotes.fork(COMMAND, &cage, Payload::Exec(exec(program, &cage)), fds)?;
        let proxy = match child.take_proxy() {
            Some(listener) => {
                let asker = Arc::clone(host);
                Some(proxy::serve(listener, &host.grants().network, move |what| asker.refused(what))?)
            }
            None => None,
        };
        // For as long as it lives: what it started goes on between two talks.
        let Cage { memory, processes, cpu_percent, .. } = cage;
        child.watch(Watch { memory, processes, cpu_percent, ..Watch::default() });
        let output = |from| (Some(from), Decoder::default());
        Ok(Alive {
            child,
            executable: program.executable.clone(),
            cage,
            _proxy: proxy,
            desk,
            input,
            _reader: reader,
            outputs: [output(stdout), output(stderr)],
            says,
            ends: Some(ends),
            word: Vec::new(),
            alive: true,
        })
    }

    /// Waits until input, output, errors, what is said, its end or what the desk waits for can go on, and says which.
    fn wait(&self, writes: bool) -> Vec<bool> {
        let own: [_; OWN] = [
            (writes.then(|| self.input.as_fd()), PollFlags::OUT),
            (self.outputs[0].0.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.outputs[1].0.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.says.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.ends.as_ref().map(AsFd::as_fd), PollFlags::IN),
        ];
        let all: Vec<_> = own.into_iter().chain(self.desk.iter().flat_map(Desk::waits)).collect();
        let mut fds: Vec<PollFd<'_>> =
            all.iter().filter_map(|(fd, flags)| Some(PollFd::from_borrowed_fd((*fd)?, *flags))).collect();
        // An interruption, and whatever else may be wrong, shows when they are tried.
        let _ = poll(&mut fds, Some(&LOOK));
        let mut looked = fds.iter().map(|fd| !fd.revents().is_empty());
        all.iter().map(|(fd, _)| fd.is_some() && looked.next().unwrap_or(false)).collect()
    }

    /// Writes what it takes now. Gives whether more is to be written.
    fn feed(&self, rest: &mut &[u8]) -> bool {
        while !rest.is_empty() {
            match rustix::io::write(&self.input, rest) {
                Ok(written) => *rest = &rest[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
        false
    }

    /// Reads once of an output. Gives how much that was, and whether the listener has what it waits for.
    fn take(&mut self, index: usize, listen: &mut Listener<'_>) -> Result<(usize, bool), Failure> {
        let (from, decoder) = &mut self.outputs[index];
        let mut bytes = [0; 16 << 10];
        let Some(length) = read(from, &mut bytes) else { return Ok((0, false)) };
        let text = if from.is_none() { decoder.finish() } else { decoder.decode(&bytes[..length]) };
        if length == 0 && text.is_empty() {
            return Ok((0, false));
        }
        let heard = if index == 0 { Heard::Stdout(&bytes[..length], &text) } else { Heard::Stderr(&text) };
        listen(heard).map(|enough| (length, enough))
    }

    /// Reads what there is of both outputs now.
    fn take_rest(&mut self, listen: &mut Listener<'_>) -> Result<(), Failure> {
        for index in 0..2 {
            let mut most = MOST_AFTER;
            while let (length @ 1.., _) = self.take(index, listen)? {
                most = most.saturating_sub(length);
                if most == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Moves what there is until the listener has what it waits for. Gives whether that was before the program's end.
    fn converse(
        &mut self,
        mut rest: &[u8],
        listen: &mut Listener<'_>,
        host: &dyn Host,
        stop: &Stop,
    ) -> Result<bool, Failure> {
        let mut refused = None;
        let mut heard = |event: Heard<'_>| {
            if refused.is_some() && !matches!(event, Heard::Said(_)) {
                return false;
            }
            listen(event).unwrap_or_else(|failure| {
                refused.get_or_insert(failure);
                stop.interrupt();
                false
            })
        };
        let mut enough = false;
        let mut writes = self.feed(&mut rest);
        while !enough && (self.ends.is_some() || self.outputs.iter().any(|(from, _)| from.is_some())) {
            let ready = self.wait(writes);
            let (own, visits) = ready.split_at(OWN);
            if own[0] {
                writes = self.feed(&mut rest);
            }
            for index in 0..2 {
                if own[index + 1] {
                    enough |= self.take(index, &mut |event| Ok(heard(event)))?.1;
                }
            }
            let mut bytes = [0; 512];
            if own[3]
                && let Some(length @ 1..) = read(&mut self.says, &mut bytes)
            {
                enough |= heard(Heard::Said(&bytes[..length]));
            }
            if own[4]
                && let Some(length) = read(&mut self.ends, &mut bytes)
            {
                self.word.extend_from_slice(&bytes[..length]);
            }
            if !writes && !ready.contains(&true) {
                enough |= heard(Heard::Quiet);
            }
            if let Some(desk) = &mut self.desk {
                desk.serve(visits, host);
            }
            // Whatever the program makes of it.
            if host.budget().stopping() {
                stop.interrupt();
            }
        }
        self.take_rest(&mut |event| Ok(heard(event)))?;
        match refused {
            Some(failure) => {
                self.alive = enough;
                Err(failure)
            }
            None => Ok(enough),
        }
    }
}

/// Reads what there is; `None` where there is nothing now. At the end, nobody is asked any more.
fn read(from: &mut Option<OwnedFd>, bytes: &mut [u8]) -> Option<usize> {
    match rustix::io::read(from.as_ref()?, bytes) {
        Err(Errno::INTR | Errno::AGAIN) => None,
        Ok(length @ 1..) => Some(length),
        Ok(_) | Err(_) => {
            *from = None;
            Some(0)
        }
    }
}

impl Staying for Alive {
    fn talk(&mut self, input: &[u8], listen: &mut Listener<'_>, host: &Arc<dyn Host>) -> Result<Option<End>, Failure> {
        let stop = Arc::new(Stop { killer: self.child.killer(), told: Mutex::default() });
        let talked = {
            let _running = host.budget().running(Arc::clone(&stop) as Arc<dyn Interrupt>);
            self.converse(input, listen, &**host, &stop)
        };
        let answered = matches!(talked, Ok(true)) || (talked.is_err() && self.alive);
        let mut end = None;
        if !answered {
            self.alive = false;
            let ended = self.child.wait();
            let word = self.word.get(..Word::LENGTH).and_then(|word| Word::from_bytes(word.try_into().ok()?));
            if host.budget().verdict().is_none() {
                end = Some(judge(&self.executable, &self.cage, &ended, word, host)?);
            }
        }
        if let Some(verdict) = host.budget().verdict() {
            return Err(verdict.clone());
        }
        talked.map(|_| end)
    }

    fn catch_up(&mut self, listen: &mut Listener<'_>) -> Result<(), Failure> {
        self.take_rest(listen)
    }

    fn is_alive(&self) -> bool {
        self.alive
    }

    fn held(&self) -> Held {
        match self.alive {
            true => Held { memory: Some(self.child.memory()), cpu: Some(self.child.cpu()) },
            false => Held::default(),
        }
    }
}
