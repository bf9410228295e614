//! The inside of a worker: an interpreter's session that runs what the host sends, one script after another.
//!
//! The script sees a [`Host`] whose functions and output go to the real one as frames. Time, memory and
//! operations are counted here as they are in process, so that ordinary code meets the same errors at the same places; the
//! host counts for itself, and ends the process of code that is not ordinary.

mod copy;
mod host;
mod kernel;
mod link;
pub(crate) mod live;
mod steering;

use crate::frame::{Asked, FromWorker, Malformed, Open, ToWorker};
use host::WorkerHost;
pub use kernel::Interpreting;
use link::Link;
use live::Living;
use skills_core::{
    Budget, ErrorKind, Evaluation, Failure, Grants, Host, Interpreter, Language, Limits, Session, Usage,
};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Serves one session over a socket, until the host closes it. Over `control`, where there is one, the host says that a
/// request to a living namespace is to stop.
///
/// `interpreter` gives that of a language. Nothing is started before the host asks for a session.
///
/// # Errors
/// Where what comes over the socket is no message, which a host never sends.
pub fn serve(
    socket: OwnedFd,
    control: Option<OwnedFd>,
    interpreter: impl Fn(Language) -> Option<Arc<dyn Interpreter>>,
) -> Result<(), Malformed> {
    let link = Arc::new(Link::new(UnixStream::from(socket)));
    let Some(ToWorker::Open(open)) = link.receive()? else { return Ok(()) };
    let (mut session, interpreter) = match opened(&open, &link, interpreter) {
        Ok(opened) => opened,
        Err(failure) => return link.send(&FromWorker::Opened(Err(failure))),
    };
    if let Some(memory) = open.memory {
        crate::layers::settle(memory);
    }
    link.send(&FromWorker::Opened(Ok(())))?;
    let mut living = Living { open: &open, link: &link, control, steering: None, interpreter, before: (0, false) };
    while let Some(message) = link.receive()? {
        match message {
            ToWorker::Run(asked) => {
                let run = asked.run;
                let Evaluation { result, usage } = evaluate(&mut *session, &open, &link, *asked);
                let reusable = session.reusable();
                link.send(&FromWorker::Answer { run, result, operations: usage.operations, reusable })?;
            }
            ToWorker::Live(live) => living.serve(&mut *session, *live)?,
            _ => return Err(Malformed("a message comes at the wrong time")),
        }
    }
    Ok(())
}

/// A session, and what it is one of.
type Opened = (Box<dyn Session>, Arc<dyn Interpreter>);

fn opened(
    open: &Open,
    link: &Arc<Link>,
    interpreter: impl Fn(Language) -> Option<Arc<dyn Interpreter>>,
) -> Result<Opened, Failure> {
    let interpreter = interpreter(open.language).ok_or_else(|| {
        Failure::new(ErrorKind::Unavailable, format!("the worker's executable does not run {}", open.language))
            .with_help("use a worker of the same build as the host program")
    })?;
    let host: Arc<dyn Host> =
        Arc::new(WorkerHost::new(open, link, 0, Budget::new(Limits { memory: open.memory, ..Limits::none() })));
    Ok((interpreter.open(&host)?, interpreter))
}

fn evaluate(session: &mut dyn Session, open: &Open, link: &Arc<Link>, asked: Asked) -> Evaluation {
    let budget = Budget::resumed(asked.limits, asked.passed);
    let host = Arc::new(WorkerHost::new(open, link, asked.run, budget));
    let as_host: Arc<dyn Host> = Arc::clone(&host) as Arc<dyn Host>;
    let attempt = catch_unwind(AssertUnwindSafe(|| session.run(&asked.script, &asked.params, &as_host)));
    // Threads that the script left behind print to nobody.
    host.close();
    attempt.unwrap_or_else(|_| {
        let failure = Failure::new(ErrorKind::Crashed, "a defect of the engine: the interpreter's bridge panicked");
        Evaluation { result: Err(failure), usage: Usage::default() }
    })
}

/// A worker's own grants: what a script may reach is checked by the host, at each call.
static NO_GRANTS: &Grants = Grants::NONE;
