//! Where sessions are found by name, and what ends those that nobody needs any more.

use super::alarm::Alarm;
use super::info::{SessionEvent, SessionInfo};
use super::shared::Shared;
use super::waits::{self, Waiting};
use crate::{Cancel, Engine, Error, Session, Skill};
use skills_core::{ErrorKind, Language};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long somebody waits for a session that is being opened.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often whoever waits looks whether that was stopped.
const LOOK: Duration = Duration::from_millis(50);

/// Finds sessions by name. An engine has one of its own, or is given one that several engines share
/// ([`EngineBuilder::sessions`](crate::EngineBuilder::sessions)). Clones are the same hub.
///
/// The sessions of an engine's own hub end with the engine. Those of a shared hub keep their engine, and live until they are
/// closed, are due, or [`SessionHub::close_all`] is called.
#[derive(Clone, Default)]
pub struct SessionHub(pub(crate) Arc<HubInner>);

/// What the clones of a hub share.
#[derive(Default)]
pub(crate) struct HubInner {
    table: Mutex<Table>,
    /// Wakes whoever waits for a session that is being opened.
    changed: Condvar,
    alarm: Alarm,
}

#[derive(Default)]
struct Table {
    slots: BTreeMap<String, Slot>,
    watchers: Vec<Sender<SessionEvent>>,
    /// The number of the last made-up name, by language.
    made_up: BTreeMap<Language, u64>,
}

/// A name that is taken.
enum Slot {
    /// By a session that is being opened.
    Opening(Opening),
    /// By one that is there.
    Open(Arc<Shared>),
}

/// A session that is being opened.
struct Opening {
    /// The number that it has from the beginning.
    id: u64,
    /// The skill that it is of.
    skill: Option<String>,
    /// What stops the opening.
    cancel: Cancel,
}

/// What a name is taken for.
pub(crate) struct Wanted<'a> {
    /// The name; `None` for one that is made up.
    pub(crate) name: Option<&'a str>,
    pub(crate) language: Language,
    pub(crate) skill: Option<&'a Skill>,
    /// What stops the opening.
    pub(crate) cancel: Cancel,
}

/// How many sessions there may be.
pub(crate) struct Most<'a> {
    /// In the hub.
    pub(crate) all: usize,
    /// Of a skill.
    pub(crate) of_skill: Option<(&'a Skill, usize)>,
}

impl Engine {
    /// The session of a name, where there is one. One that is being opened is waited for.
    ///
    /// # Errors
    /// As [`SessionHub::find`](SessionHub::find).
    pub fn find_session(&self, name: &str) -> Result<Option<Session>, Error> {
        self.inner.sessions.find(name)
    }

    /// The sessions that there are, by name.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.inner.sessions.sessions()
    }

    /// Where its sessions on disk lie, where it keeps any.
    pub fn session_store(&self) -> Option<&crate::SessionStore> {
        self.inner.session_store.as_ref()
    }

    /// Where the sessions of this engine are found.
    pub fn session_hub(&self) -> &SessionHub {
        &self.inner.sessions
    }
}

impl SessionHub {
    /// One without sessions.
    pub fn new() -> SessionHub {
        SessionHub::default()
    }

    /// The session of a name; one that is being opened is waited for, a minute at the most.
    ///
    /// # Errors
    /// `invalid_arguments` where its opening waits for whoever asks; `unavailable` where it takes longer.
    pub fn find(&self, name: &str) -> Result<Option<Session>, Error> {
        self.find_unless(name, &Cancel::new())
    }

    /// The same, unless somebody stops it.
    ///
    /// # Errors
    /// As [`SessionHub::find`], and `cancelled`.
    pub fn find_unless(&self, name: &str, cancel: &Cancel) -> Result<Option<Session>, Error> {
        Ok(self.0.find(name, cancel)?.and_then(Session::of))
    }

    /// Stops the opening of a session, from any thread: whoever opens it gets an error. Gives whether one of this name was being
    /// opened.
    pub fn cancel_opening(&self, name: &str) -> bool {
        let cancel = match self.0.table().slots.get(name) {
            Some(Slot::Opening(opening)) => Some(opening.cancel.clone()),
            _ => None,
        };
        cancel.inspect(Cancel::cancel).is_some()
    }

    /// The same without waiting, for what may itself run while a session is opened: that could be the one it asks for.
    pub(crate) fn find_open(&self, name: &str) -> Option<Session> {
        let shared = match self.0.table().slots.get(name)? {
            Slot::Open(shared) => Arc::clone(shared),
            Slot::Opening(_) => return None,
        };
        Session::of(shared)
    }

    /// All sessions, by name.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.0.open().iter().map(|shared| shared.info()).collect()
    }

    /// What happens to sessions from now on.
    pub fn watch(&self) -> Receiver<SessionEvent> {
        let (sender, receiver) = channel();
        self.0.table().watchers.push(sender);
        receiver
    }

    /// Ends the sessions that idled or lived too long. A thread of the hub does it by itself when one is due.
    pub fn close_idle(&self) {
        self.0.open().iter().for_each(Shared::end_if_due);
    }

    /// Stops what is under way in every session; they stay.
    pub fn interrupt_all(&self) {
        for shared in self.0.open() {
            shared.interrupt();
        }
    }

    /// Closes every session.
    pub fn close_all(&self) {
        for shared in self.0.open() {
            shared.end(None);
        }
    }
}

impl HubInner {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Vec<Arc<Shared>> {
        let table = self.table();
        let open = |slot: &Slot| match slot {
            Slot::Open(shared) => Some(Arc::clone(shared)),
            Slot::Opening(_) => None,
        };
        table.slots.values().filter_map(open).collect()
    }

    fn find(&self, name: &str, cancel: &Cancel) -> Result<Option<Arc<Shared>>, Error> {
        let until = Instant::now() + PATIENCE;
        let mut table = self.table();
        loop {
            let id = match table.slots.get(name) {
                None => return Ok(None),
                Some(Slot::Open(shared)) => return Ok(Some(Arc::clone(shared))),
                Some(Slot::Opening(opening)) => opening.id,
            };
            let Some(_waits) = waits::wait(id) else {
                let message = format!("session `{name}` is being opened, and that waits for this");
                return Err(Error::new(ErrorKind::InvalidArguments, message)
                    .with_help("let what runs while a session is opened reach others only"));
            };
            if cancel.is_cancelled() {
                let message = format!("nobody waits any more until session `{name}` is opened");
                return Err(Error::new(ErrorKind::Cancelled, message));
            }
            if Instant::now() >= until {
                let message = format!("session `{name}` is still being opened after {} s", PATIENCE.as_secs());
                return Err(Error::new(ErrorKind::Unavailable, message)
                    .with_help("wait for it: somebody may have been asked something, or what is restored takes long"));
            }
            table = self.changed.wait_timeout(table, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes a name, or makes one up.
    ///
    /// # Errors
    /// `invalid_arguments` for a name that is taken or none; `queue_full` where there are as many sessions as there may be.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        Wanted { name, language, skill, cancel }: Wanted<'_>,
        most: &Most<'_>,
    ) -> Result<Reserved, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut table = self.table();
        let full = |count: usize, of: String| {
            let sessions = if count == 1 { "is 1 session" } else { &format!("are {count} sessions") };
            let message = format!("there {sessions}{of} already, the most that there may be");
            Err(Error::new(ErrorKind::QueueFull, message).with_help("close one of them first"))
        };
        if table.slots.len() >= most.all {
            return full(table.slots.len(), String::new());
        }
        let identity = skill.map(Skill::identity);
        if let Some((skill, most)) = most.of_skill {
            let same = |slot: &&Slot| match slot {
                Slot::Opening(opening) => opening.skill == identity,
                Slot::Open(shared) => shared.terms.skill.as_ref().map(|skill| skill.identity()) == identity,
            };
            let count = table.slots.values().filter(same).count();
            if count >= most {
                return full(count, format!(" of `{}`", skill.qualified_name()));
            }
        }
        let name = match name {
            Some(name) => {
                check_name(name)?;
                // One that has ended is about to go, and takes only itself away.
                let gone = |slot: &Slot| matches!(slot, Slot::Open(shared) if shared.has_ended());
                if table.slots.get(name).is_some_and(|slot| !gone(slot)) {
                    let message = format!("there is a session `{name}` already");
                    return Err(Error::new(ErrorKind::InvalidArguments, message)
                        .with_help("use it, close it first, or choose another name"));
                }
                name.to_owned()
            }
            None => loop {
                let number = table.made_up.entry(language).or_default();
                *number += 1;
                let name = format!("{language}-{number}");
                if !table.slots.contains_key(&name) {
                    break name;
                }
            },
        };
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        table.slots.insert(name.clone(), Slot::Opening(Opening { id, skill: identity, cancel }));
        drop(table);
        Ok(Reserved { hub: Arc::clone(self), id, name })
    }

    /// Takes a session out that has ended.
    pub(crate) fn forget(&self, shared: &Shared) {
        let mut table = self.table();
        let is_it = |slot: &Slot| matches!(slot, Slot::Open(other) if other.id == shared.id);
        // Dropped without the lock: it may be the last that keeps an engine.
        let slot =
            table.slots.get(&shared.terms.name).is_some_and(is_it).then(|| table.slots.remove(&shared.terms.name));
        drop(table);
        drop(slot);
        self.changed.notify_all();
    }

    /// Tells whoever watches; what happened is only worked out where somebody does.
    pub(crate) fn report(&self, event: impl FnOnce() -> SessionEvent) {
        if self.table().watchers.is_empty() {
            return;
        }
        let event = event();
        self.table().watchers.retain(|watcher| watcher.send(event.clone()).is_ok());
    }

    /// Has the alarm ring in time for a session that was opened, or idles from now on.
    pub(crate) fn look_again(self: &Arc<Self>, shared: &Shared) {
        if let Some(due) = shared.due() {
            self.alarm.set(due, self);
        }
    }

    /// Ends what is due, and gives when to look again.
    pub(super) fn tick(&self) -> Option<Instant> {
        let open = self.open();
        open.iter().for_each(Shared::end_if_due);
        open.iter().filter(|shared| !shared.has_ended()).filter_map(|shared| shared.due()).min()
    }
}

/// A name that is taken for a session that is being opened; free again where it is dropped.
pub(crate) struct Reserved {
    hub: Arc<HubInner>,
    id: u64,
    name: String,
}

impl Reserved {
    /// The number that tells the session from every other of the process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Says that this thread waits until it is opened. One that nobody knows of yet waits for nobody.
    pub(crate) fn wait(&self) -> Option<Waiting> {
        waits::wait(self.id)
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn hub(&self) -> &Arc<HubInner> {
        &self.hub
    }

    /// Lets the session be found.
    pub(crate) fn fill(self, shared: &Arc<Shared>) {
        let mut table = self.hub.table();
        table.slots.insert(self.name.clone(), Slot::Open(Arc::clone(shared)));
        drop(table);
        self.hub.changed.notify_all();
        self.hub.look_again(shared);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut table = self.hub.table();
        if matches!(table.slots.get(&self.name), Some(Slot::Opening(_))) {
            table.slots.remove(&self.name);
        }
        drop(table);
        self.hub.changed.notify_all();
    }
}

/// The longest name of a session.
const LONGEST: usize = 64;

/// # Errors
/// `invalid_arguments` for what is no name of a session.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.len() <= LONGEST && !name.starts_with(['-', '.']) && name.chars().all(fits) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidArguments, format!("{name:?} is not the name of a session")).with_help(format!(
        "write letters, digits, `-`, `_` and `.`, at most {LONGEST}, and begin with a letter, a digit or `_`"
    )))
}
