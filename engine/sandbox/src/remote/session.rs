use super::control::Control;
use super::death;
use super::line::{Line, Patience, Silence};
use super::process::Process;
use crate::frame::{Asked, FromWorker, MOST_BEFORE, MOST_RESULT, Malformed, Open, Reply, ToWorker, module_to_value};
use crate::zygote::{Ended, Payload, Reason, Watch, Zygotes};
use crate::{Cage, proxy};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde_json::{Map, Value};
use skills_core::{
    Budget, Cell, Completions, ErrorKind, Evaluated, Evaluation, Failure, Forked, Held, Host, Inspection, Language,
    Lost, OpenSession, Script, Session, Snapshot, Usage, Variable,
};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// A session that is a worker.
///
/// Once anything was wrong with it, it answers every run with what that was.
#[derive(Debug)]
pub(crate) struct RemoteSession {
    pub(super) line: Line,
    pub(super) child: Process,
    /// Where a request to its living namespace is told to stop, if it can be.
    pub(super) control: Option<Control>,
    /// Where it asks for hosts, if any are granted.
    pub(super) network: Option<TcpListener>,
    pub(super) language: Language,
    pub(super) runs: u64,
    pub(super) reusable: bool,
    /// The memory that it held before any script.
    pub(super) base: u64,
    /// The most that it held by then, with what files back.
    pub(super) base_peak: u64,
    pub(super) poisoned: Option<Failure>,
    /// What it had used when it was ended for being late.
    pub(super) used: Option<(Duration, u64)>,
    /// Whether the run at hand is looked at by the watch.
    pub(super) watched: bool,
    /// Where the kernel says how much it holds.
    pub(super) statm: Option<OwnedFd>,
    /// Whether it has a namespace that is worth keeping.
    pub(super) living: bool,
}

impl RemoteSession {
    /// Forks a worker and has it open a session.
    pub(crate) fn start(
        zygotes: &Zygotes,
        cage: &Cage,
        kind: &str,
        open: Open,
        host: &Arc<dyn Host>,
    ) -> Result<RemoteSession, Failure> {
        let (line, mut fds) = Line::make().map_err(|error| no_room(&error))?;
        let (control, far) = Control::make().map_err(|error| no_room(&error))?;
        fds.push(far);
        let mut child = zygotes.fork(kind, cage, Payload::Serve, fds)?;
        let network = child.take_proxy();
        let mut session = RemoteSession::open(line, Process::Child(child), network, open, host)?;
        session.control = Some(control);
        Ok(session)
    }

    /// Opens a session in a process that serves one.
    pub(crate) fn open(
        line: Line,
        child: Process,
        network: Option<TcpListener>,
        open: Open,
        host: &Arc<dyn Host>,
    ) -> Result<RemoteSession, Failure> {
        let mut session = RemoteSession {
            line,
            child,
            control: None,
            network,
            runs: 0,
            reusable: true,
            base: 0,
            base_peak: 0,
            poisoned: None,
            used: None,
            watched: false,
            statm: None,
            living: false,
            language: open.language,
        };
        let frame = ToWorker::Open(open).encode().map_err(|error| internal(error.0))?;
        let budget = host.budget();
        let mut patience = Patience::of(budget);
        let opened = (session.line.send(&frame, &mut patience, &**host))
            .and_then(|()| session.line.receive(|_| MOST_BEFORE, &mut patience, &**host, |f| FromWorker::decode(f, 0)));
        match opened {
            Ok(FromWorker::Opened(Ok(()))) => {
                session.settle();
                Ok(session)
            }
            Ok(FromWorker::Opened(Err(failure))) => Err(failure),
            Ok(_) => Err(session.silent(Silence::Malformed(Malformed("a message comes at the wrong time")), budget)),
            Err(silence) => Err(session.silent(silence, budget)),
        }
    }

    /// Whether its process is there.
    pub(crate) fn is_alive(&self) -> bool {
        self.poisoned.is_none() && self.child.is_alive()
    }

    /// Runs a script that does a little of everything: what the first run takes longer for has then been done, above all
    /// the copying of the memory that it writes to and until then shared with the zygote.
    pub(crate) fn warm_up(&mut self, host: &Arc<dyn Host>) -> Result<(), Failure> {
        let source = match self.language {
            Language::Python => include_str!("warm_up/python.py"),
            // What a run of these touches at first is little, however much is done before it.
            _ => "1",
        };
        let script = Script { language: self.language, file: "nothing".into(), source: source.into() };
        // CPython makes code that it has seen several times faster, by writing to it.
        for _ in 0..3 {
            self.evaluate(&script, &Value::Object(Map::new()), host, &mut Usage::default())?;
        }
        if self.watched {
            self.child.unwatch();
        }
        self.settle();
        Ok(())
    }

    /// Answers what a run asks of the network, by its own grants: a worker is made ready before it is known for whom.
    pub(super) fn proxy(&self, host: &Arc<dyn Host>) -> Result<Option<proxy::Guard>, Failure> {
        let Some(listener) = &self.network else { return Ok(None) };
        let listener = listener
            .try_clone()
            .map_err(|error| Failure::new(ErrorKind::Unavailable, format!("the proxy cannot be served: {error}")))?;
        let asker = Arc::downgrade(host);
        let refused = move |what: &str| {
            if let Some(host) = asker.upgrade() {
                host.refused(what);
            }
        };
        proxy::serve(listener, &host.grants().network, refused).map(Some)
    }

    /// Takes what the worker holds for its own.
    pub(super) fn settle(&mut self) {
        self.base = self.child.memory();
        self.base_peak = self.child.peak();
        self.look_at_memory();
    }

    /// Opens where the kernel says how much it holds.
    pub(super) fn look_at_memory(&mut self) {
        let open = |id| rustix::fs::open(format!("/proc/{id}/statm"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        self.statm = self.child.id().and_then(|id| open(id).ok());
    }

    /// The most memory that a run held, above what the worker had before it.
    ///
    /// Asking for the most costs the kernel more than a short run takes in all; what such a run has held it still holds.
    fn peak(&self, watched: bool) -> Option<u64> {
        let asked = watched || self.child.id().is_none();
        let most = if asked { self.child.peak() } else { self.resident()? }.max(self.base_peak);
        Some(most.saturating_sub(self.base_peak))
    }

    fn resident(&self) -> Option<u64> {
        self.pages().map(|(resident, _)| resident)
    }

    /// What it holds without what files back.
    pub(super) fn anonymous(&self) -> Option<u64> {
        self.pages().map(|(resident, shared)| resident.saturating_sub(shared))
    }

    /// What it holds, and what of that files back or others share, in bytes.
    fn pages(&self) -> Option<(u64, u64)> {
        let mut text = [0; 128];
        let count = rustix::io::pread(self.statm.as_ref()?, &mut text, 0).ok()?;
        let mut fields = std::str::from_utf8(&text[..count]).ok()?.split_ascii_whitespace().skip(1);
        let mut next = || Some(fields.next()?.parse::<u64>().ok()? * rustix::param::page_size() as u64);
        Some((next()?, next()?))
    }

    fn evaluate(
        &mut self,
        script: &Script,
        params: &Value,
        host: &Arc<dyn Host>,
        usage: &mut Usage,
    ) -> Result<Value, Failure> {
        let budget = host.budget();
        self.runs += 1;
        let passed = (budget.elapsed(), budget.wall());
        let frame =
            Asked::encode(self.runs, script, params, budget.limits(), passed).map_err(|error| internal(error.0))?;
        let answer = self.converse(
            host,
            |line, patience| line.send(&frame, patience, &**host),
            |message| match message {
                FromWorker::Answer { result, operations, reusable, .. } => Ok(Some((result, operations, reusable))),
                _ => Err(Malformed("a message comes at the wrong time")),
            },
        );
        match answer {
            Ok((result, operations, reusable)) => {
                usage.operations = operations;
                self.reusable = reusable && !self.line.has_unread();
                judged(result, script, budget)
            }
            Err(failure) => Err(failure.in_script(script.language, Vec::new())),
        }
    }

    /// Has the worker do what `send` sends, answers what it asks meanwhile, and hands what else it says to `take`, until that
    /// has all. What goes wrong ends the worker.
    pub(super) fn converse<T>(
        &mut self,
        host: &Arc<dyn Host>,
        send: impl FnOnce(&mut Line, &mut Patience<'_>) -> Result<(), Silence>,
        mut take: impl FnMut(FromWorker) -> Result<Option<T>, Malformed>,
    ) -> Result<T, Failure> {
        let budget = host.budget();
        let limits = budget.limits();
        let most_result = limits.result.unwrap_or(MOST_RESULT).min(MOST_RESULT);
        let most = |kind| FromWorker::most(kind, most_result);
        let _running = budget.running(self.line.wake());
        let watch = Watch {
            memory: limits.memory.map(|limit| limit.saturating_add(self.base)),
            processes: limits.processes,
            cpu_percent: limits.cpu_percent,
            ..Watch::default()
        };
        let mut patience = Patience::of(budget).watching(&self.child, watch);
        if self.living {
            patience = patience.telling(self.control.as_ref(), self.runs);
        }
        let mut answer = None;
        let mut result = send(&mut self.line, &mut patience);
        while result.is_ok() && answer.is_none() {
            let next = self.line.receive(most, &mut patience, &**host, |frame| {
                FromWorker::decode(frame, most_result).and_then(|message| of_run(message, self.runs))
            });
            result = match next {
                Ok(FromWorker::Print { stream, text, .. }) => {
                    // Where it is too much, the budget knows, and patience ends.
                    drop(host.print(stream, &text));
                    Ok(())
                }
                Ok(FromWorker::Call { index, arguments, operations, .. }) => {
                    budget.note_operations(operations);
                    let reply = replied(host.call(index, arguments), budget);
                    reply.and_then(|frame| self.line.send(&frame, &mut patience, &**host))
                }
                Ok(FromWorker::Module { path, .. }) => {
                    let reply = replied(host.module(&path).map(module_to_value), budget);
                    reply.and_then(|frame| self.line.send(&frame, &mut patience, &**host))
                }
                Ok(message) => take(message).map(|taken| answer = taken).map_err(Silence::Malformed),
                Err(silence) => Err(silence),
            };
        }
        self.watched = patience.watches();
        let answer = match (answer, result) {
            (Some(answer), _) => Ok(answer),
            (None, result) => Err(self.silent(result.err().unwrap_or(Silence::Gone), budget)),
        };
        self.line.drain(&**host);
        answer
    }

    /// How the worker ended, its memory without what it had before any script.
    pub(super) fn ended(&self) -> Ended {
        let ended = self.child.wait();
        Ended {
            reading: ended.reading.map(|reading| reading.saturating_sub(self.base)),
            peak_memory: ended.peak_memory.saturating_sub(self.base_peak),
            ..ended
        }
    }

    /// What a worker that is no more has used: its processor time, and the most memory above what it had before any script.
    fn used(&self) -> (Duration, u64) {
        self.used.unwrap_or_else(|| {
            let ended = self.ended();
            (ended.cpu, ended.peak_memory)
        })
    }

    /// Makes sure that the worker ends, and says why there is no answer.
    pub(super) fn silent(&mut self, silence: Silence, budget: &Budget) -> Failure {
        let failure = match silence {
            Silence::Overdue => {
                let cancelled = budget.verdict().is_some_and(|verdict| verdict.kind == ErrorKind::Cancelled);
                let cpu = self.child.id().and_then(cpu).unwrap_or_default();
                self.used = Some((cpu, self.child.peak().saturating_sub(self.base_peak)));
                self.child.kill(if cancelled { Reason::Cancelled } else { Reason::Deadline });
                // It does nothing more from here on. Its end takes as long as the kernel takes for giving back its memory.
                match budget.verdict() {
                    Some(verdict) => verdict.clone(),
                    None => death::failure(&self.ended(), budget),
                }
            }
            Silence::Gone => {
                self.child.kill(Reason::Finished);
                death::failure(&self.ended(), budget)
            }
            Silence::Malformed(error) => {
                self.child.kill(Reason::Finished);
                let message = format!("the worker sent something that is no answer: {}", error.0);
                Failure::new(ErrorKind::Crashed, message)
                    .with_help("the script, or a library that it uses, wrote to the worker's own socket")
            }
        };
        self.reusable = false;
        self.poisoned = Some(failure.clone());
        failure
    }
}

impl RemoteSession {
    /// Ends the worker now, whatever still goes on in it; what is left is cleared away when this is dropped.
    pub(crate) fn end(&self) {
        self.child.kill(Reason::Finished);
    }
}

pub(super) fn no_room(error: &Errno) -> Failure {
    Failure::new(ErrorKind::Unavailable, format!("a worker cannot be talked to: {error}"))
        .with_help("the program has too many files open: raise its limit (`ulimit -n`) or run fewer skills at once")
}

/// The frame of what came of something that a worker asked for.
fn replied(result: Result<Value, Failure>, budget: &Budget) -> Result<Vec<u8>, Silence> {
    let passed = (budget.elapsed(), budget.wall());
    let (verdict, called_operations) = (budget.verdict().cloned(), budget.called_operations());
    let reply = Reply { result, verdict, passed, called_operations };
    ToWorker::Reply(reply).encode().map_err(Silence::Malformed)
}

/// A message that belongs to a run.
fn of_run(message: FromWorker, current: u64) -> Result<FromWorker, Malformed> {
    match &message {
        FromWorker::Print { run, .. }
        | FromWorker::Call { run, .. }
        | FromWorker::Module { run, .. }
        | FromWorker::Part { run, .. }
        | FromWorker::Told { run, .. }
        | FromWorker::Answer { run, .. }
            if *run == current =>
        {
            Ok(message)
        }
        _ => Err(Malformed("a message comes at the wrong time")),
    }
}

pub(super) fn internal(why: &str) -> Failure {
    Failure::new(ErrorKind::Internal, format!("the worker could not be told what to run: {why}"))
}

/// The budget's verdict where there is one, with the frames of what the script was doing.
pub(super) fn judged<T>(result: Result<T, Failure>, script: &Script, budget: &Budget) -> Result<T, Failure> {
    let Some(verdict) = budget.verdict() else { return result };
    let frames = result.err().map(|failure| failure.frames).unwrap_or_default();
    Err(verdict.clone().in_script(script.language, frames))
}

impl Session for RemoteSession {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        let mut usage = Usage::default();
        if let Some(failure) = self.poisoned.as_ref().or(host.budget().verdict()) {
            return Evaluation { result: Err(failure.clone()), usage };
        }
        let _proxy = match self.proxy(host) {
            Ok(proxy) => proxy,
            Err(failure) => return Evaluation { result: Err(failure), usage },
        };
        let before = self.child.cpu();
        let result = self.evaluate(script, params, host, &mut usage);
        if self.watched {
            self.child.unwatch();
        }
        match self.poisoned {
            None => {
                usage.cpu = before.and_then(|before| self.child.cpu()?.checked_sub(before));
                usage.peak_memory = self.peak(self.watched);
            }
            Some(_) => {
                let (cpu, peak) = self.used();
                // Of a container that has ended nothing is counted.
                let counted = self.child.id().is_some();
                usage.cpu = Some(cpu).filter(|_| counted);
                usage.peak_memory = Some(peak).filter(|_| counted);
            }
        }
        Evaluation { result, usage }
    }

    fn reusable(&self) -> bool {
        self.reusable
    }

    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        self.eval_cell(cell, host)
    }

    fn variables(&mut self, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        self.ask_variables(host)
    }

    fn get(&mut self, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        self.ask_get(name, host)
    }

    fn set(&mut self, name: &str, value: &Value, host: &Arc<dyn Host>) -> Result<(), Failure> {
        self.ask_set(name, value, host)
    }

    fn complete(&mut self, text: &str, cursor: usize, host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        self.ask_complete(text, cursor, host)
    }

    fn inspect(&mut self, path: &str, host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        self.ask_inspect(path, host)
    }

    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        self.ask_snapshot(host)
    }

    fn restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        self.ask_restore(snapshot, host)
    }

    fn fork(&mut self, host: &Arc<dyn Host>) -> Result<Option<Forked>, Failure> {
        let copy = self.fork_worker(host)?;
        Ok(copy.map(|copy| Box::new(move || Ok(OpenSession::Anywhere(Box::new(copy)))) as Forked))
    }

    fn held(&self) -> Held {
        self.holds()
    }
}

/// The processor time of a process.
pub(super) fn cpu(pid: u32) -> Option<Duration> {
    /// The kernel's name of what a process has used: the complement of its number, and in the lowest bits that it is the
    /// scheduler's count for the whole process.
    const SCHEDULED: i32 = 2;
    let clock = (!(pid as i32) << 3) | SCHEDULED;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to a struct of ours; a clock that does not exist is an error.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}
