use super::death;
use super::line::{Line, Patience, Silence};
use super::process::Process;
use crate::frame::{Asked, FromWorker, MOST_BEFORE, MOST_CALL, MOST_RESULT, Malformed, Open, Reply, ToWorker};
use crate::zygote::{Ended, Payload, Reason, Watch, Zygotes};
use crate::{Cage, proxy};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde_json::{Map, Value};
use skills_core::{Budget, ErrorKind, Evaluation, Failure, Host, Language, Script, Session, Usage};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// A session that is a worker.
///
/// Once anything was wrong with it, it answers every run with what that was.
#[derive(Debug)]
pub(crate) struct RemoteSession {
    line: Line,
    child: Process,
    /// Where it asks for hosts, if any are granted.
    network: Option<TcpListener>,
    language: Language,
    runs: u64,
    reusable: bool,
    /// The memory that it held before any script.
    base: u64,
    /// The most that it held by then, with what files back.
    base_peak: u64,
    poisoned: Option<Failure>,
    /// Whether the run at hand is looked at by the watch.
    watched: bool,
    /// Where the kernel says how much it holds.
    statm: Option<OwnedFd>,
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
        let (line, fds) = Line::make().map_err(|error| no_room(&error))?;
        let mut child = zygotes.fork(kind, cage, Payload::Serve, fds)?;
        let network = child.take_proxy();
        RemoteSession::open(line, Process::Child(child), network, open, host)
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
            network,
            runs: 0,
            reusable: true,
            base: 0,
            base_peak: 0,
            poisoned: None,
            watched: false,
            statm: None,
            language: open.language,
        };
        let frame = ToWorker::Open(open).encode().map_err(|error| internal(error.0))?;
        let budget = host.budget();
        let mut patience = Patience::of(budget);
        let opened = (session.line.send(&frame, &mut patience, &**host))
            .and_then(|()| session.line.receive(MOST_BEFORE, &mut patience, &**host, |f| FromWorker::decode(f, 0)));
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
        self.evaluate(&script, &Value::Object(Map::new()), host, &mut Usage::default())?;
        if self.watched {
            self.child.unwatch();
        }
        self.settle();
        Ok(())
    }

    /// Answers what a run asks of the network, by its own grants: a worker is made ready before it is known for whom.
    fn proxy(&self, host: &Arc<dyn Host>) -> Result<Option<proxy::Guard>, Failure> {
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
    fn settle(&mut self) {
        self.base = self.child.memory();
        self.base_peak = self.child.peak();
        let open = |id| rustix::fs::open(format!("/proc/{id}/statm"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        self.statm = self.child.id().and_then(|id| open(id).ok());
    }

    /// The most memory that a run held, above what the worker had before it.
    ///
    /// Asking for the most costs the kernel more than a short run takes in all; what such a run has held it still holds.
    fn peak(&self, watched: bool) -> Option<u64> {
        let most = if watched { self.child.peak() } else { self.resident()? }.max(self.base_peak);
        Some(most.saturating_sub(self.base_peak))
    }

    fn resident(&self) -> Option<u64> {
        let mut text = [0; 128];
        let count = rustix::io::pread(self.statm.as_ref()?, &mut text, 0).ok()?;
        let pages: u64 = std::str::from_utf8(&text[..count]).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    fn evaluate(
        &mut self,
        script: &Script,
        params: &Value,
        host: &Arc<dyn Host>,
        usage: &mut Usage,
    ) -> Result<Value, Failure> {
        let budget = host.budget();
        let limits = budget.limits();
        self.runs += 1;
        let passed = (budget.elapsed(), budget.wall());
        let frame = Asked::encode(self.runs, script, params, limits, passed).map_err(|error| internal(error.0))?;
        let most_result = limits.result.unwrap_or(MOST_RESULT).min(MOST_RESULT);
        let most = (2 * most_result.max(MOST_CALL)) as usize;
        let _running = budget.running(self.line.wake());
        let watch = Watch {
            memory: limits.memory.map(|limit| limit.saturating_add(self.base)),
            processes: limits.processes,
            cpu_percent: limits.cpu_percent,
            ..Watch::default()
        };
        let mut patience = Patience::of(budget).watching(&self.child, watch);
        let mut result = self.line.send(&frame, &mut patience, &**host);
        while result.is_ok() {
            let next = self.line.receive(most, &mut patience, &**host, |frame| FromWorker::decode(frame, most_result));
            result = match next {
                Ok(FromWorker::Print { run, stream, text }) if run == self.runs => {
                    // Where it is too much, the budget knows, and patience ends.
                    drop(host.print(stream, &text));
                    Ok(())
                }
                Ok(FromWorker::Call { run, index, arguments }) if run == self.runs => {
                    let result = host.call(index, arguments);
                    let passed = (budget.elapsed(), budget.wall());
                    let reply = Reply { result, verdict: budget.verdict().cloned(), passed };
                    match ToWorker::Reply(reply).encode() {
                        Ok(frame) => self.line.send(&frame, &mut patience, &**host),
                        Err(error) => Err(Silence::Malformed(error)),
                    }
                }
                Ok(FromWorker::Answer { run, result, operations, reusable }) if run == self.runs => {
                    usage.operations = operations;
                    self.reusable = reusable && !self.line.has_unread();
                    self.watched = patience.watches();
                    self.line.drain(&**host);
                    return judged(result, script, budget);
                }
                Ok(_) => Err(Silence::Malformed(Malformed("a message comes at the wrong time"))),
                Err(silence) => Err(silence),
            };
        }
        self.watched = patience.watches();
        let silence = result.err().unwrap_or(Silence::Gone);
        let failure = self.silent(silence, budget);
        self.line.drain(&**host);
        Err(failure.in_script(script.language, Vec::new()))
    }

    /// How the worker ended, its memory without what it had before any script.
    fn ended(&self) -> Ended {
        let ended = self.child.wait();
        Ended {
            reading: ended.reading.map(|reading| reading.saturating_sub(self.base)),
            peak_memory: ended.peak_memory.saturating_sub(self.base_peak),
            ..ended
        }
    }

    /// Makes sure that the worker ends, and says why there is no answer.
    fn silent(&mut self, silence: Silence, budget: &Budget) -> Failure {
        let failure = match silence {
            Silence::Overdue => {
                let cancelled = budget.verdict().is_some_and(|verdict| verdict.kind == ErrorKind::Cancelled);
                self.child.kill(if cancelled { Reason::Cancelled } else { Reason::Deadline });
                death::failure(&self.ended(), budget)
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

fn internal(why: &str) -> Failure {
    Failure::new(ErrorKind::Internal, format!("the worker could not be told what to run: {why}"))
}

/// The budget's verdict where there is one, with the frames of what the script was doing.
fn judged(result: Result<Value, Failure>, script: &Script, budget: &Budget) -> Result<Value, Failure> {
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
        let id = self.child.id();
        let before = id.and_then(cpu);
        let result = self.evaluate(script, params, host, &mut usage);
        if self.watched {
            self.child.unwatch();
        }
        match self.poisoned {
            None => {
                usage.cpu = before.and_then(|before| id.and_then(cpu)?.checked_sub(before));
                usage.peak_memory = self.peak(self.watched);
            }
            Some(_) => {
                let ended = self.ended();
                usage.cpu = Some(ended.cpu);
                usage.peak_memory = Some(ended.peak_memory);
            }
        }
        Evaluation { result, usage }
    }

    fn reusable(&self) -> bool {
        self.reusable
    }
}

/// The processor time of a process.
fn cpu(pid: u32) -> Option<Duration> {
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
