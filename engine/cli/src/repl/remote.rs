//! Sessions that the session host keeps.

use super::live::{Feed, LiveSession, Sessions};
use crate::commands::live::Relay;
use crate::host::{Client, Evaluated, Exported, Failed, Front, Opened, Opening, Request, Seat, Sender};
use crate::render::Console;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use skills::core::{Completeness, Completions, Inspection, Variable};
use skills::{Error, ErrorKind, Language, LimitOverrides, Outcome, RunOptions, SessionImage};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Opens sessions in the session host.
#[derive(Clone)]
pub(crate) struct Remote {
    /// What they are opened with.
    pub(crate) opening: Opening,
    /// Whether the person said the language.
    pub(crate) explicit: bool,
    /// What shows what happens.
    pub(crate) console: Arc<Console>,
    /// The client's end of evaluations.
    pub(crate) seat: Seat,
}

impl Sessions for Remote {
    fn open(&self, language: Language, name: Option<&str>) -> Result<Arc<dyn LiveSession>, Error> {
        let link = Link::new(&self.console, &self.opening);
        let is_there = |name: &str| link.call::<Value>(Request::Show { name: name.to_owned() }).is_ok();
        // A skill says its language itself, and so does a session that is there.
        let says = self.opening.skill.is_some() || !self.explicit && name.is_some_and(is_there);
        let language = (!says).then(|| language.to_string());
        let opening = Opening { name: name.map(str::to_owned), language, ..self.opening.clone() };
        let opened: Opened = link.call(Request::Open(Box::new(opening)))?;
        Ok(Arc::new(Theirs::new(self, link, &opened)?))
    }

    fn restore(&self, _language: Language, image: &[u8], name: &str) -> Result<Arc<dyn LiveSession>, Error> {
        let opening = Opening { name: Some(name.to_owned()), ..self.opening.clone() };
        let link = Link::new(&self.console, &opening);
        // Where it is of several languages, this says so.
        SessionImage::from_bytes(image)?;
        let image = BASE64.encode(image);
        let opened: Opened = link.call(Request::Import { opening: Box::new(opening), image })?;
        Ok(Arc::new(Theirs::new(self, link, &opened)?))
    }

    fn reset(&self, session: &dyn LiveSession) -> Result<Arc<dyn LiveSession>, Error> {
        let name = session.name();
        let link = Link::new(&self.console, &self.opening);
        match link.call::<Value>(Request::Kill { name: name.clone() }) {
            // It is over by itself.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => drop(other?),
        }
        self.open(session.language(), Some(&name))
    }

    fn list(&self) -> Result<Vec<Value>, Error> {
        Link::new(&self.console, &self.opening).call(Request::List)
    }
}

/// A connection that is made when it is needed, and made again where the host is another one by then.
struct Link {
    console: Arc<Console>,
    opening: Opening,
    client: Mutex<Option<Client>>,
    sender: Mutex<Option<Sender>>,
}

impl Link {
    fn new(console: &Arc<Console>, opening: &Opening) -> Link {
        let (console, opening) = (Arc::clone(console), opening.clone());
        Link { console, opening, client: Mutex::default(), sender: Mutex::default() }
    }

    fn call<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        let mut place = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = match place.take() {
            Some(client) => client,
            None => Client::started(&self.opening.surroundings)?,
        };
        *self.sender() = Some(client.sender());
        let relay = Relay { console: &self.console, sender: client.sender() };
        let mut front = Front { events: &relay, approver: &relay, changes: &mut |_| Ok(()) };
        match client.call(request, &mut front) {
            Ok(answer) => {
                *place = Some(client);
                Ok(answer)
            }
            Err(Failed::Refused(refusal)) => {
                *place = Some(client);
                Err(refusal.failure.into())
            }
            Err(Failed::Error(error)) => Err(error),
            Err(Failed::Output(error)) => Err(Error::new(ErrorKind::Internal, error.to_string())),
        }
    }

    fn sender(&self) -> MutexGuard<'_, Option<Sender>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session of the host.
struct Theirs {
    remote: Remote,
    link: Link,
    name: String,
    language: Language,
    created: bool,
    /// Whether that it is new was asked before.
    met: AtomicBool,
}

impl Theirs {
    fn new(remote: &Remote, link: Link, opened: &Opened) -> Result<Theirs, Error> {
        let of = |key: &str| opened.session[key].as_str().unwrap_or_default();
        let language = Language::deserialize(&opened.session["language"]).map_err(|_| {
            Error::new(ErrorKind::Internal, format!("the session host has a session of `{}`", of("language")))
        })?;
        let name = of("name").to_owned();
        Ok(Theirs {
            remote: remote.clone(),
            link,
            name,
            language,
            created: opened.created,
            met: AtomicBool::new(false),
        })
    }
}

impl LiveSession for Theirs {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn language(&self) -> Language {
        self.language
    }

    fn is_new(&self, _language: Language) -> bool {
        self.created && !self.met.swap(true, Ordering::SeqCst)
    }

    fn evaluate(&self, feed: &Feed<'_>) -> Outcome {
        let evaluate = || {
            let asked = LimitOverrides::default();
            let limits = if *feed.limits == asked { self.link.opening.limits.clone() } else { feed.limits.clone() };
            let language = self.link.opening.skill.is_none().then(|| feed.language.to_string());
            let name = Some(self.name.clone());
            let opening = Box::new(Opening { name, language, limits, ..self.link.opening.clone() });
            let (code, file) = (feed.code.to_owned(), feed.file.map(str::to_owned));
            let request = Request::Evaluate { opening, code, file, front: self.remote.seat };
            Outcome::from_json(&self.link.call::<Evaluated>(request)?.object)
        };
        evaluate().unwrap_or_else(|error| Outcome::failed(&self.name, &RunOptions::default(), error))
    }

    fn completeness(&self, _language: Language, code: &str) -> Completeness {
        let request = Request::Completeness { name: self.name.clone(), code: code.to_owned() };
        self.link.call(request).unwrap_or(Completeness::Complete)
    }

    fn variables(&self) -> Result<Vec<(Language, Variable)>, Error> {
        let all: Vec<Variable> = self.link.call(Request::Variables { name: self.name.clone() })?;
        Ok(all.into_iter().map(|variable| (self.language, variable)).collect())
    }

    fn get(&self, name: &str) -> Result<Value, Error> {
        self.link.call(Request::Get { name: self.name.clone(), variable: name.to_owned() })
    }

    fn complete(&self, _language: Language, text: &str, cursor: usize) -> Result<Completions, Error> {
        self.link.call(Request::Complete { name: self.name.clone(), text: text.to_owned(), cursor })
    }

    fn inspect(&self, _language: Language, path: &str) -> Result<Inspection, Error> {
        self.link.call(Request::Inspect { name: self.name.clone(), path: path.to_owned() })
    }

    fn interrupt(&self) {
        if let Some(sender) = &*self.link.sender() {
            sender.cancel();
        }
    }

    fn fork(&self, name: &str) -> Result<Arc<dyn LiveSession>, Error> {
        let session: Value = self.link.call(Request::Fork { name: self.name.clone(), to: name.to_owned() })?;
        let link = Link::new(&self.remote.console, &self.link.opening);
        Ok(Arc::new(Theirs::new(&self.remote, link, &Opened { created: false, session })?))
    }

    fn image(&self) -> Result<Vec<u8>, Error> {
        let exported: Exported = self.link.call(Request::Export { name: self.name.clone() })?;
        BASE64.decode(exported.image).map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
    }

    fn info(&self) -> Result<Value, Error> {
        self.link.call(Request::Show { name: self.name.clone() })
    }

    fn ended(&self) -> Option<Error> {
        self.info().err().filter(|error| error.kind() == ErrorKind::NotFound)
    }

    /// It lives on.
    fn leave(&self) {}
}
