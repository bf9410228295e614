//! One client of the host.

use super::frame;
use super::message::{FromHost, Greeting, Hello, Purpose, Request, ToHost};
use super::outbox::Outbox;
use super::reports::Answers;
use super::server::Host;
use super::{refusal, serve};
use skills::Cancel;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a client may take to say what it is.
const GREETING: Duration = Duration::from_secs(5);

/// How many requests a client may have waiting.
const MOST_WAITING: usize = 64;

/// A client that asks for something.
pub(super) struct Caller {
    pub(super) outbox: Outbox,
    pub(super) answers: Answers,
    /// Whether it is gone.
    pub(super) gone: Arc<AtomicBool>,
    /// Whether it may only look at sessions and end them, because there are as many others as there may be.
    late: bool,
}

/// A request, and what interrupts it.
type Waiting = (Box<Request>, Cancel);

/// Serves a client until it goes.
pub(super) fn serve(host: &Arc<Host>, stream: UnixStream, late: bool) {
    // A client that breaks off is gone: there is nobody to tell.
    drop(greet(host, &stream).and_then(|serves| if serves { answer(host, stream, late) } else { Ok(()) }));
}

/// The first words; whether it wants to be served.
fn greet(host: &Host, stream: &UnixStream) -> io::Result<bool> {
    if !is_own(stream)? {
        return Ok(false);
    }
    stream.set_read_timeout(Some(GREETING))?;
    stream.set_write_timeout(Some(GREETING))?;
    let hello: Option<Hello> = frame::receive(&mut &*stream, frame::MOST_GREETING)?;
    let Some(hello) = hello else { return Ok(false) };
    let farewell = match hello.purpose {
        Purpose::Serve => None,
        Purpose::Replace => Some(host.is_replaceable()).filter(|replaceable| *replaceable).map(|_| host.end(false)),
        Purpose::Stop => Some(host.end(false)),
        Purpose::ForceStop => Some(host.end(true)),
    };
    let ends = farewell.as_ref().is_some_and(|farewell| farewell.ends);
    let replaceable = host.is_replaceable();
    let greeting = Greeting { build: host.build.clone(), pid: std::process::id(), replaceable, farewell };
    let said = frame::send(&mut &*stream, &greeting);
    if ends {
        host.look();
    }
    said?;
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    Ok(hello.purpose == Purpose::Serve && hello.build.protocol == host.build.protocol)
}

/// Whether the other side of a socket is this user's.
pub(super) fn is_own(stream: &UnixStream) -> io::Result<bool> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    Ok(peer.uid == rustix::process::geteuid())
}

/// Answers requests, in order.
fn answer(host: &Arc<Host>, stream: UnixStream, late: bool) -> io::Result<()> {
    // A reserved place is not one to stay in.
    stream.set_read_timeout(late.then_some(GREETING))?;
    let stream = Arc::new(stream);
    let (outbox, writer) = Outbox::new(Arc::clone(&stream))?;
    let (sender, requests) = sync_channel(MOST_WAITING);
    let (answers, gone) = (Answers::default(), Arc::<AtomicBool>::default());
    let ear = Ear { answers: answers.clone(), gone: Arc::clone(&gone), calls: Mutex::default() };
    let thread = std::thread::Builder::new().name("from a client".into()).stack_size(512 << 10);
    thread.spawn(move || ear.listen(&stream, &sender))?;
    work(host, &Caller { outbox: outbox.clone(), answers, gone, late }, requests);
    // The last answer goes out before the connection does.
    drop(outbox);
    drop(writer.join());
    Ok(())
}

fn work(host: &Arc<Host>, caller: &Caller, requests: Receiver<Waiting>) {
    for (request, cancel) in requests {
        let answered = match caller.late && !request.is_modest() {
            true => Err(Host::full()),
            false => serve::answer(host, caller, *request, &cancel),
        };
        let message = match answered {
            Ok(answer) => FromHost::Done(answer),
            Err(error) => FromHost::Refused(Box::new(refusal(&error))),
        };
        if let Err(error) = caller.outbox.try_send(&message) {
            let error = skills::Error::new(skills::ErrorKind::OutputLimit, error.to_string());
            caller.outbox.send(&FromHost::Refused(Box::new(refusal(&error))));
        }
    }
}

/// Listens to a client while it is served.
struct Ear {
    answers: Answers,
    gone: Arc<AtomicBool>,
    calls: Mutex<Calls>,
}

/// What it asked for.
#[derive(Default)]
struct Calls {
    cancels: Vec<Cancel>,
    /// Whether all of it is to be interrupted when the client goes.
    person: bool,
}

impl Ear {
    fn listen(&self, mut stream: &UnixStream, requests: &SyncSender<Waiting>) {
        while let Ok(Some(message)) = frame::receive::<ToHost>(&mut stream, frame::MOST) {
            match message {
                ToHost::Call(request) => {
                    let cancel = Cancel::new();
                    {
                        let mut calls = self.calls();
                        calls.person |= request.is_of_a_person();
                        // Those of what is done do nothing, and go in time.
                        if calls.cancels.len() > MOST_WAITING {
                            calls.cancels.remove(0);
                        }
                        calls.cancels.push(cancel.clone());
                    }
                    if requests.try_send((request, cancel)).is_err() {
                        break;
                    }
                }
                ToHost::Cancel => self.interrupt(),
                ToHost::Answer { id, reply } => self.answers.give(id, reply),
            }
        }
        self.gone.store(true, Ordering::SeqCst);
        self.answers.close();
        // A script that asked for something may have left on purpose; a person who goes wants it no more.
        if self.calls().person {
            self.interrupt();
        }
        drop(stream.shutdown(std::net::Shutdown::Both));
    }

    fn interrupt(&self) {
        self.answers.give_up();
        let cancels = std::mem::take(&mut self.calls().cancels);
        cancels.iter().for_each(Cancel::cancel);
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
