//! Requests to a living namespace, answered by an interpreter's session.

use super::copy;
use super::host::WorkerHost;
use super::link::Link;
use super::steering::Steering;
use crate::frame::{Ask, FromWorker, Live, MOST_PART, MOST_SNAPSHOT, Malformed, Open, Packed, ToWorker, Told};
use skills_core::{Budget, ErrorKind, Evaluated, Failure, Host, Interpreter, Session, Snapshot, watchdog};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a worker has for a living session.
pub(super) struct Living<'a> {
    pub(super) open: &'a Open,
    pub(super) link: &'a Arc<Link>,
    /// Where the host says that a request is to stop; taken with the first one.
    pub(super) control: Option<OwnedFd>,
    pub(super) steering: Option<Arc<Steering>>,
    pub(super) interpreter: Arc<dyn Interpreter>,
    /// How many threads there were before the first request, and whether the watchdog's was one of them.
    pub(super) before: (u64, bool),
}

/// An answer, as it goes into a frame.
struct Answered {
    result: Result<Told, Failure>,
    operations: Option<u64>,
    bytes: Vec<u8>,
}

impl From<Result<Told, Failure>> for Answered {
    fn from(result: Result<Told, Failure>) -> Answered {
        Answered { result, operations: None, bytes: Vec::new() }
    }
}

impl Living<'_> {
    /// Answers one request.
    pub(super) fn serve(&mut self, session: &mut dyn Session, live: Live) -> Result<(), Malformed> {
        if let Some(control) = self.control.take() {
            self.before = (copy::threads(), watchdog::armed());
            self.steering = Some(Steering::start(control));
        }
        let Live { run, ask, limits, passed } = live;
        let snapshot = match &ask {
            Ask::Restore(packed) => Some(self.receive(packed)?),
            _ => None,
        };
        if ask == Ask::Fork {
            return match self.copy() {
                // The copy has nothing to answer, and goes on with what it is asked.
                copy::Side::Copy => Ok(()),
                copy::Side::Original(result) => {
                    let (result, operations) = (result.map(|()| Told::Done), None);
                    self.link.send(&FromWorker::Told { run, result, operations, reusable: session.reusable() })
                }
            };
        }
        let budget = Budget::resumed(limits, passed);
        let host = Arc::new(WorkerHost::new(self.open, self.link, run, Arc::clone(&budget)));
        let as_host: Arc<dyn Host> = Arc::clone(&host) as Arc<dyn Host>;
        let attempt = {
            let _steered = self.steering.as_ref().map(|steering| steering.steer(run, &budget));
            catch_unwind(AssertUnwindSafe(|| answer(session, ask, snapshot, &as_host)))
        };
        // Threads that the code left behind print to nobody.
        host.close();
        let defect = attempt.is_err();
        let answered = attempt.unwrap_or_else(|_| {
            let message = "a defect of the engine: the interpreter's bridge panicked";
            Err(Failure::new(ErrorKind::Crashed, message)).into()
        });
        for part in answered.bytes.chunks(MOST_PART) {
            self.link.send_frame(&FromWorker::part(run, part)?)?;
        }
        let Answered { result, operations, .. } = answered;
        let reusable = session.reusable() && !defect;
        self.link.send(&FromWorker::Told { run, result: result.map(Told::bounded), operations, reusable })
    }

    /// The bytes that follow a request to restore.
    fn receive(&self, packed: &Packed) -> Result<Snapshot, Malformed> {
        let length = usize::try_from(packed.length).map_err(|_| Malformed("a snapshot is too large"))?;
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            match self.link.receive()? {
                Some(ToWorker::Part(part)) => bytes.extend_from_slice(&part),
                _ => return Err(Malformed("a snapshot is cut short")),
            }
        }
        let Packed { language, format, lost, .. } = packed.clone();
        Ok(Snapshot { language, format, bytes, lost })
    }
}

fn answer(session: &mut dyn Session, ask: Ask, snapshot: Option<Snapshot>, host: &Arc<dyn Host>) -> Answered {
    match ask {
        Ask::Cell(cell) => {
            let Evaluated { evaluation, shown } = session.eval(&cell, host);
            let result = evaluation.result.map(|value| Told::Evaluated(value, shown));
            Answered { result, operations: evaluation.usage.operations, bytes: Vec::new() }
        }
        Ask::Variables => session.variables(host).map(Told::Variables).into(),
        Ask::Get(name) => session.get(&name, host).map(Told::Value).into(),
        Ask::Set(name, value) => session.set(&name, &value, host).map(|()| Told::Done).into(),
        Ask::Complete { text, cursor } => session.complete(&text, cursor, host).map(Told::Completions).into(),
        Ask::Inspect(path) => session.inspect(&path, host).map(Told::Inspection).into(),
        Ask::Snapshot => match session.snapshot(host).and_then(small) {
            Ok(Snapshot { language, format, bytes, lost }) => {
                let packed = Packed { language, format, lost, length: bytes.len() as u64 };
                Answered { result: Ok(Told::Snapshot(packed)), operations: None, bytes }
            }
            Err(failure) => Err(failure).into(),
        },
        Ask::Fork => Err(Failure::new(ErrorKind::Internal, "a copy is none of a session's own requests")).into(),
        Ask::Restore(_) => match snapshot {
            Some(snapshot) => session.restore(&snapshot, host).map(Told::Restored).into(),
            None => Err(Failure::new(ErrorKind::Internal, "there is no snapshot to restore from")).into(),
        },
    }
}

/// A snapshot that the host takes.
fn small(snapshot: Snapshot) -> Result<Snapshot, Failure> {
    let size = snapshot.bytes.len() as u64;
    if size <= MOST_SNAPSHOT {
        return Ok(snapshot);
    }
    Err(too_large(size))
}

/// The failure where a snapshot has too many bytes.
pub(crate) fn too_large(size: u64) -> Failure {
    let message = format!(
        "the snapshot of the session has {} MB, and at most {} may leave a worker",
        size >> 20,
        MOST_SNAPSHOT >> 20
    );
    Failure::new(ErrorKind::OutputLimit, message).with_help("delete large variables that can be made again")
}
