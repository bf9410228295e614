//! The living namespace of a session that is a worker.

use super::line::Silence;
use super::session::{RemoteSession, cpu, internal};
use crate::frame::{Ask, FromWorker, Live, MOST_PART, MOST_SNAPSHOT, Malformed, Packed, ToWorker, Told};
use crate::worker::live::too_large;
use serde_json::Value;
use skills_core::{
    Cell, Completions, Entry, ErrorKind, Evaluated, Evaluation, Failure, Held, Host, Inspection, Language, Lost,
    Script, Snapshot, Usage, Variable,
};
use std::sync::Arc;

/// What came of a request: what was told, and the bytes that came with it.
pub(super) struct Answer {
    pub(super) told: Told,
    bytes: Vec<u8>,
}

const WRONG: Malformed = Malformed("an answer is not to what was asked");

impl RemoteSession {
    /// Evaluates a cell that leaves nothing behind: the namespace is there then, with all that the first request makes.
    pub(crate) fn warm_up_living(&mut self, host: &Arc<dyn Host>) -> Result<(), Failure> {
        let source = match self.language {
            Language::Python => "print(end='')",
            _ => "",
        };
        let script = Arc::new(Script { language: self.language, file: "nothing".into(), source: source.into() });
        self.eval_cell(&Cell { script, entry: Entry::Cell }, host).evaluation.result?;
        // There is nobody's code in it to be stopped.
        self.child.stir();
        self.settle();
        Ok(())
    }

    pub(super) fn eval_cell(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        let mut usage = Usage::default();
        let asked = self.ask(Ask::Cell(cell.clone()), &[], host, &mut usage);
        let answer = asked.and_then(|answer| match answer.told {
            Told::Evaluated(value, shown) => Ok((value, shown)),
            _ => Err(self.wrong(host)),
        });
        let (result, shown) = match answer {
            Ok((value, shown)) => (Ok(value), shown),
            Err(failure) if failure.language.is_none() => {
                (Err(failure.in_script(cell.script.language, Vec::new())), None)
            }
            Err(failure) => (Err(failure), None),
        };
        Evaluated { evaluation: Evaluation { result, usage }, shown }
    }

    pub(super) fn ask_variables(&mut self, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        match self.ask_for(Ask::Variables, host)?.told {
            Told::Variables(variables) => Ok(variables),
            _ => Err(self.wrong(host)),
        }
    }

    pub(super) fn ask_get(&mut self, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        match self.ask_for(Ask::Get(name.to_owned()), host)?.told {
            Told::Value(value) => Ok(value),
            _ => Err(self.wrong(host)),
        }
    }

    pub(super) fn ask_set(&mut self, name: &str, value: &Value, host: &Arc<dyn Host>) -> Result<(), Failure> {
        match self.ask_for(Ask::Set(name.to_owned(), value.clone()), host)?.told {
            Told::Done => Ok(()),
            _ => Err(self.wrong(host)),
        }
    }

    pub(super) fn ask_complete(
        &mut self,
        text: &str,
        cursor: usize,
        host: &Arc<dyn Host>,
    ) -> Result<Completions, Failure> {
        match self.ask_for(Ask::Complete { text: text.to_owned(), cursor }, host)?.told {
            // Whoever completes cuts the text there.
            Told::Completions(completions) if text.is_char_boundary(completions.from) => Ok(completions),
            _ => Err(self.wrong(host)),
        }
    }

    pub(super) fn ask_inspect(&mut self, path: &str, host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        match self.ask_for(Ask::Inspect(path.to_owned()), host)?.told {
            Told::Inspection(inspection) => Ok(inspection),
            _ => Err(self.wrong(host)),
        }
    }

    pub(super) fn ask_snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        let Answer { told, bytes } = self.ask_for(Ask::Snapshot, host)?;
        match told {
            Told::Snapshot(Packed { language, format, lost, length }) if length == bytes.len() as u64 => {
                Ok(Snapshot { language, format, bytes, lost })
            }
            _ => Err(self.wrong(host)),
        }
    }

    pub(super) fn ask_restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        let Snapshot { language, format, bytes, lost } = snapshot;
        let length = bytes.len() as u64;
        if length > MOST_SNAPSHOT {
            return Err(too_large(length));
        }
        let packed = Packed { language: *language, format: format.clone(), lost: lost.clone(), length };
        match self.ask(Ask::Restore(packed), bytes, host, &mut Usage::default())?.told {
            Told::Restored(lost) => Ok(lost),
            _ => Err(self.wrong(host)),
        }
    }

    /// What it holds and has used, as the host sees it. Asked after each evaluation, so without what it may have started: to
    /// look for that takes longer than a short evaluation.
    pub(super) fn holds(&self) -> Held {
        let id = self.child.id().filter(|_| self.poisoned.is_none());
        Held { memory: id.and_then(|_| self.anonymous()), cpu: id.and_then(cpu) }
    }

    pub(super) fn ask_for(&mut self, ask: Ask, host: &Arc<dyn Host>) -> Result<Answer, Failure> {
        self.ask(ask, &[], host, &mut Usage::default())
    }

    /// Asks for something, with the bytes that follow it, and waits for the answer.
    fn ask(&mut self, ask: Ask, bytes: &[u8], host: &Arc<dyn Host>, usage: &mut Usage) -> Result<Answer, Failure> {
        if let Some(failure) = &self.poisoned {
            return Err(over(failure));
        }
        let budget = host.budget();
        budget.check_time()?;
        self.living = true;
        let _proxy = self.proxy(host)?;
        self.runs += 1;
        let (run, limits) = (self.runs, budget.limits().clone());
        let live = Live { run, ask, limits, passed: (budget.elapsed(), budget.wall()) };
        let snapshots = matches!(live.ask, Ask::Snapshot);
        let frame = ToWorker::Live(Box::new(live)).encode().map_err(|error| internal(error.0))?;
        self.child.take_peak();
        let id = self.child.id();
        let before = id.and_then(cpu);
        let mut gathered = Vec::new();
        self.child.stir();
        let answer = self.converse(
            host,
            |line, patience| {
                line.send(&frame, patience, &**host)?;
                bytes.chunks(MOST_PART).try_for_each(|part| {
                    let frame = ToWorker::part(part).map_err(Silence::Malformed)?;
                    line.send(&frame, patience, &**host)
                })
            },
            |message| gather(message, &mut gathered, snapshots),
        );
        if self.watched {
            self.child.unwatch();
        }
        self.child.rest();
        match answer {
            Ok((result, operations, reusable)) => {
                usage.cpu = before.and_then(|before| id.and_then(cpu)?.checked_sub(before));
                usage.peak_memory = self.peak_of_request();
                usage.operations = operations;
                if !reusable {
                    self.give_up(&result);
                }
                match budget.verdict() {
                    Some(verdict) => Err(with_place(verdict, result.err())),
                    None => result.map(|told| Answer { told, bytes: gathered }),
                }
            }
            Err(failure) => {
                let ended = self.ended();
                usage.cpu = Some(ended.cpu.saturating_sub(before.unwrap_or_default()));
                usage.peak_memory = Some(ended.peak_memory);
                Err(failure)
            }
        }
    }

    /// The most memory that was seen while a request was answered, above what the worker had before any script.
    fn peak_of_request(&self) -> Option<u64> {
        let most = self.child.take_peak().max(self.anonymous()?);
        Some(most.saturating_sub(self.base))
    }

    /// Ends a worker whose interpreter is in doubt.
    fn give_up(&mut self, result: &Result<Told, Failure>) {
        let failure = match result {
            Err(failure) => failure.clone(),
            Ok(_) => Failure::new(ErrorKind::Crashed, "the interpreter is in doubt after what it ran"),
        };
        self.end();
        self.reusable = false;
        self.poisoned = Some(failure);
    }

    /// An answer that is none to what was asked ends the worker.
    pub(super) fn wrong(&mut self, host: &Arc<dyn Host>) -> Failure {
        self.silent(Silence::Malformed(WRONG), host.budget())
    }
}

type Ended = (Result<Told, Failure>, Option<u64>, bool);

/// Takes parts of a snapshot, as many as it may have, and the answer at their end.
fn gather(message: FromWorker, bytes: &mut Vec<u8>, snapshots: bool) -> Result<Option<Ended>, Malformed> {
    match message {
        FromWorker::Part { bytes: part, .. } if snapshots => {
            if (bytes.len() + part.len()) as u64 > MOST_SNAPSHOT || part.is_empty() {
                return Err(Malformed("a snapshot is larger than it may be"));
            }
            bytes.extend_from_slice(&part);
            Ok(None)
        }
        FromWorker::Told { result, operations, reusable, .. } => Ok(Some((result, operations, reusable))),
        _ => Err(Malformed("a message comes at the wrong time")),
    }
}

/// A verdict, with the frames of what the code was doing.
fn with_place(verdict: &Failure, failure: Option<Failure>) -> Failure {
    match failure {
        Some(Failure { language: Some(language), frames, .. }) => verdict.clone().in_script(language, frames),
        _ => verdict.clone(),
    }
}

/// What a session says to every request after its end.
fn over(failure: &Failure) -> Failure {
    let message = format!("the session ended: {}", failure.message);
    Failure { message, frames: Vec::new(), ..failure.clone() }
        .with_help("its variables are lost; open a new session, or restore one from a snapshot")
}
