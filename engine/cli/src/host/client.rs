//! A client of the host.

use super::build::Build;
use super::connection::is_own;
use super::folder::Folder;
use super::message::{Farewell, FromHost, Greeting, Hello, Purpose, Refusal, Request, ToHost};
use super::{frame, start};
use crate::render;
use crate::surroundings::Surroundings;
use serde::de::DeserializeOwned;
use serde_json::Value;
use skills::{Approver, Error, ErrorKind, EventSink};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a host may take to say what it is.
const GREETING: Duration = Duration::from_secs(10);

/// How often a client begins anew where the host ends just then.
const ATTEMPTS: usize = 5;

/// How long to wait before that.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a host that ends may take for it.
const FAREWELL: Duration = Duration::from_secs(15);

/// A connection to the host.
pub(crate) struct Client {
    stream: UnixStream,
    sender: Sender,
}

/// Says something to the host while something else waits for it.
#[derive(Clone)]
pub(crate) struct Sender(Arc<Mutex<UnixStream>>);

/// What the client does with what comes before an answer.
pub(crate) struct Front<'a> {
    /// Takes what happens.
    pub(crate) events: &'a dyn EventSink,
    /// Answers questions.
    pub(crate) approver: &'a dyn Approver,
    /// Takes what happens to sessions.
    pub(crate) changes: &'a mut dyn FnMut(Value) -> io::Result<()>,
}

/// Why there is no answer.
pub(crate) enum Failed {
    /// The host says so.
    Refused(Box<Refusal>),
    /// It cannot be asked.
    Error(Error),
    /// What was to be shown could not be.
    Output(io::Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Error(error)
    }
}

impl Sender {
    /// Interrupts what was asked for.
    pub(crate) fn cancel(&self) {
        // Where the host is gone, there is nothing left to interrupt.
        drop(self.send(&ToHost::Cancel));
    }

    fn send(&self, message: &ToHost) -> io::Result<()> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frame::send(&mut &*stream, message)
    }
}

impl Client {
    /// A connection to the host, where one runs.
    ///
    /// # Errors
    /// `permission_denied` where the folder is not to be trusted; `unavailable` for a host that cannot be understood.
    pub(crate) fn existing(surroundings: &Surroundings) -> Result<Option<Client>, Error> {
        match Folder::existing(&Folder::place(surroundings))? {
            Some(folder) => connected(&folder).map(|met| met.map(|met| met.client)),
            None => Ok(None),
        }
    }

    /// A connection to the host, which is started where none runs. One of another build is replaced where nothing is lost by
    /// that.
    ///
    /// # Errors
    /// As [`Client::existing`], and `unavailable` where none starts.
    pub(crate) fn started(surroundings: &Surroundings) -> Result<Client, Error> {
        let place = Folder::place(surroundings);
        let folder = Folder::made(&place)?;
        for _ in 0..ATTEMPTS {
            match connected(&folder)? {
                Some(Met { client, greeting }) if is_other(&greeting.build) && greeting.replaceable => {
                    drop(client);
                    if replaced(&folder)? {
                        let pid = greeting.pid;
                        render::note(&format!(
                            "replaced the session host of another build (process {pid}): it was idle"
                        ));
                    }
                }
                Some(Met { client, greeting }) => {
                    if is_other(&greeting.build) {
                        warn_of(&greeting);
                    }
                    return Ok(client);
                }
                None => start_one(&place, &folder, surroundings)?,
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the session host ends again and again as soon as it is started")
            .with_help("its log is `session-host.log` in the folder of states: `~/.local/state/skills`"))
    }

    /// Ends the host, where one runs; one of any build understands that.
    ///
    /// # Errors
    /// As [`Client::existing`].
    pub(crate) fn stop(surroundings: &Surroundings, force: bool) -> Result<Option<Farewell>, Error> {
        let Some(folder) = Folder::existing(&Folder::place(surroundings))? else { return Ok(None) };
        let purpose = if force { Purpose::ForceStop } else { Purpose::Stop };
        let Some((stream, greeting)) = welcomed(&folder, purpose)? else { return Ok(None) };
        let farewell = greeting.farewell;
        if farewell.as_ref().is_some_and(|farewell| farewell.ends) {
            wait_for_end(&folder, stream);
        }
        Ok(farewell)
    }

    /// What interrupts a call from another thread.
    pub(crate) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Asks for something, and waits for the answer.
    pub(crate) fn call<T: DeserializeOwned>(&mut self, request: Request, front: &mut Front<'_>) -> Result<T, Failed> {
        let failed = |error: &io::Error| Failed::Error(broken(error));
        self.sender.send(&ToHost::Call(Box::new(request))).map_err(|error| failed(&error))?;
        loop {
            let message = frame::receive::<FromHost>(&mut &self.stream, frame::MOST).map_err(|error| failed(&error))?;
            match message {
                Some(FromHost::Event { skill, correlation_id, event }) => {
                    front.events.event(&skill, &correlation_id, &event);
                }
                Some(FromHost::Warning(text)) => render::warning(&text),
                Some(FromHost::Diagnostic(text)) => render::note(&text),
                Some(FromHost::Question { id, question }) => {
                    let answer = ToHost::Answer { id, reply: front.approver.ask(&question) };
                    self.sender.send(&answer).map_err(|error| failed(&error))?;
                }
                Some(FromHost::Change(change)) => (front.changes)(change).map_err(Failed::Output)?,
                Some(FromHost::Done(value)) => {
                    return serde_json::from_value(value).map_err(|error| failed(&error.into()));
                }
                Some(FromHost::Refused(refusal)) => return Err(Failed::Refused(refusal)),
                None => return Err(failed(&io::ErrorKind::UnexpectedEof.into())),
            }
        }
    }
}

/// A host, and what it says of itself.
struct Met {
    client: Client,
    greeting: Greeting,
}

/// A connection to whoever listens; `None` where nobody does.
fn connected(folder: &Folder) -> Result<Option<Met>, Error> {
    let Some((stream, greeting)) = welcomed(folder, Purpose::Serve)? else { return Ok(None) };
    let own = Build::own();
    if greeting.build.protocol != own.protocol && !greeting.replaceable {
        let Build { version, protocol, .. } = &greeting.build;
        let message = format!(
            "the session host (process {}) is of version {version} and speaks protocol {protocol}, this command {}",
            greeting.pid, own.protocol
        );
        return Err(Error::new(ErrorKind::Unavailable, message)
            .with_help("end it, and its sessions in memory with it: `skills sessions stop`"));
    }
    let sender = stream.try_clone().map_err(|error| broken(&error))?;
    let client = Client { stream, sender: Sender(Arc::new(Mutex::new(sender))) };
    Ok(Some(Met { client, greeting }))
}

/// Whom a client met.
enum Door {
    /// Nobody listens.
    Nobody,
    /// Somebody hung up before a word was said.
    Closed,
    Open(UnixStream, Box<Greeting>),
}

/// A connection to whoever listens, and what it said first; `None` where nobody does. A host that ends hangs up, and so does one that
/// has no place left, which may be another thing a moment later.
fn welcomed(folder: &Folder, purpose: Purpose) -> Result<Option<(UnixStream, Greeting)>, Error> {
    for _ in 0..ATTEMPTS {
        match greeted(folder, purpose)? {
            Door::Open(stream, greeting) => return Ok(Some((stream, *greeting))),
            Door::Nobody => return Ok(None),
            Door::Closed => std::thread::sleep(PAUSE),
        }
    }
    Err(Error::new(ErrorKind::QueueFull, "the session host hangs up: it has as many clients as it may have, or ends")
        .with_help("wait for some of them, and try again"))
}

/// The first words with whoever listens.
fn greeted(folder: &Folder, purpose: Purpose) -> Result<Door, Error> {
    let stream = match folder.connect() {
        Ok(stream) => stream,
        Err(error) if is_nobody(&error) => return Ok(Door::Nobody),
        Err(error) => return Err(broken(&error)),
    };
    if !is_own(&stream).map_err(|error| broken(&error))? {
        let message = format!("another user listens in {}", folder.path().display());
        return Err(Error::new(ErrorKind::PermissionDenied, message));
    }
    let talk = || -> io::Result<Option<Greeting>> {
        stream.set_read_timeout(Some(GREETING))?;
        frame::send(&mut &stream, &Hello { build: Build::own(), purpose })?;
        let greeting = frame::receive(&mut &stream, frame::MOST_GREETING)?;
        stream.set_read_timeout(None)?;
        Ok(greeting)
    };
    match talk() {
        Ok(Some(greeting)) => Ok(Door::Open(stream, Box::new(greeting))),
        Ok(None) => Ok(Door::Closed),
        Err(error) if frame::is_gone(&error) => Ok(Door::Closed),
        Err(error) => {
            let message = format!("what listens in {} is no session host: {error}", folder.path().display());
            Err(Error::new(ErrorKind::Unavailable, message)
                .with_help(format!("end it, or remove the folder: `rm -r {}`", folder.path().display())))
        }
    }
}

fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn is_other(build: &Build) -> bool {
    *build != Build::own()
}

/// Has a host go where nothing is lost by that; whether it went.
fn replaced(folder: &Folder) -> Result<bool, Error> {
    let Some((stream, greeting)) = welcomed(folder, Purpose::Replace)? else { return Ok(false) };
    let ends = greeting.farewell.is_some_and(|farewell| farewell.ends);
    if ends {
        wait_for_end(folder, stream);
    }
    Ok(ends)
}

/// Waits until a host that ends is gone.
fn wait_for_end(folder: &Folder, stream: UnixStream) {
    use std::io::Read as _;
    drop(stream.set_read_timeout(Some(FAREWELL)));
    // Its end of the connection closes before it does.
    drop((&stream).read(&mut [0]));
    let until = std::time::Instant::now() + FAREWELL;
    while matches!(folder.running(), Ok(None)) && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn warn_of(greeting: &Greeting) {
    render::warning(&format!(
        "the session host (process {}) is of another build than this command, and is used because it has sessions; \
         `skills sessions stop` ends it, and them",
        greeting.pid
    ));
}

/// Starts a host, unless somebody else just did.
fn start_one(place: &Path, folder: &Folder, surroundings: &Surroundings) -> Result<(), Error> {
    let lock = folder.starting().map_err(|error| broken(&error))?;
    let there = match folder.connect() {
        Ok(_) => true,
        Err(error) if is_nobody(&error) => false,
        Err(error) => return Err(broken(&error)),
    };
    if !there {
        start::host(place, surroundings)?;
    }
    drop(lock);
    Ok(())
}

fn broken(error: &io::Error) -> Error {
    match frame::is_gone(error) {
        true => Error::new(ErrorKind::Crashed, "the session host ended before it answered")
            .with_help("the next call starts another one: sessions on disk are there again, those in memory are gone"),
        false => Error::new(ErrorKind::Unavailable, format!("the session host cannot be asked: {error}")),
    }
}
